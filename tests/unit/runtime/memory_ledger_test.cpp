// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/memory_ledger.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

using ::testing::HasSubstr;
using Booking = MemoryLedger::Booking;

std::vector<std::pair<std::string, std::uint64_t>> items_of(const MemoryLedger& ledger) {
  std::vector<std::pair<std::string, std::uint64_t>> list;
  for (const MemoryLedger::Item& item : ledger.items())
    list.emplace_back(item.name, item.bytes);
  return list;
}

TEST(MemoryLedger, a_budget_of_nothing_is_refused) {
  EXPECT_EQ(MemoryLedger::create(0).status().code(), StatusCode::kConfigError);
}

TEST(MemoryLedger, is_filled_refuses_with_the_numbers_and_admits_again_after_a_release) {
  MemoryLedger ledger = MemoryLedger::create(1000).value();
  EXPECT_EQ(ledger.budget_bytes(), 1000U);
  EXPECT_EQ(ledger.resident_bytes(), 0U);
  Booking first = ledger.book("first.engine", 600).value();
  std::optional<Booking> second = ledger.book("second.engine", 400).value();  // to the last byte
  EXPECT_EQ(ledger.resident_bytes(), 1000U);
  const auto before = items_of(ledger);

  const auto refused = ledger.book("third.engine", 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kOutOfMemoryError);
  EXPECT_THAT(refused.status().to_string(), HasSubstr("third.engine"));
  EXPECT_THAT(refused.status().message(), HasSubstr("needed 1 bytes"));
  EXPECT_THAT(refused.status().message(), HasSubstr("resident 1000 bytes"));
  EXPECT_THAT(refused.status().message(), HasSubstr("budget 1000 bytes"));
  EXPECT_EQ(ledger.resident_bytes(), 1000U);
  EXPECT_EQ(items_of(ledger), before) << "a refusal changes nothing";

  second.reset();
  EXPECT_EQ(ledger.resident_bytes(), 600U);
  EXPECT_FALSE(ledger.book("third.engine", 401).ok());
  const Booking third = ledger.book("third.engine", 400).value();
  EXPECT_EQ(items_of(ledger),
            (std::vector<std::pair<std::string, std::uint64_t>>{{"first.engine", 600}, {"third.engine", 400}}));
  EXPECT_EQ(first.bytes(), 600U);
}

TEST(MemoryLedger, sums_beyond_64_bits_do_not_wrap) {
  MemoryLedger ledger = MemoryLedger::create(UINT64_MAX).value();
  const Booking first = ledger.book("a", UINT64_MAX - 1).value();
  EXPECT_FALSE(ledger.book("b", 2).ok());
  EXPECT_FALSE(ledger.book("b", UINT64_MAX).ok());
  EXPECT_TRUE(ledger.book("b", 1).ok());
  MemoryLedger small = MemoryLedger::create(10).value();
  EXPECT_FALSE(small.book("a", UINT64_MAX).ok());
}

TEST(MemoryLedger, a_single_engine_has_its_own_limit) {
  MemoryLedger ledger = MemoryLedger::create(1000, 300).value();
  const auto refused = ledger.book("large.engine", 301);
  EXPECT_EQ(refused.status().code(), StatusCode::kOutOfMemoryError);
  EXPECT_THAT(refused.status().message(), HasSubstr("needs 301 bytes"));
  EXPECT_THAT(refused.status().message(), HasSubstr("may take 300 bytes"));
  EXPECT_THAT(refused.status().where(), HasSubstr("large.engine"));
  EXPECT_EQ(ledger.resident_bytes(), 0U);
  EXPECT_TRUE(ledger.book("just.engine", 300).ok());
}

TEST(MemoryLedger, what_was_measured_replaces_what_was_predicted) {
  MemoryLedger ledger = MemoryLedger::create(1000).value();
  Booking booking = ledger.book("a", 100).value();
  booking.settle(40);
  EXPECT_EQ(booking.bytes(), 40U);
  EXPECT_EQ(ledger.resident_bytes(), 40U);
  booking.settle(1500);  // the bytes are taken already: the next one is refused instead
  EXPECT_EQ(ledger.resident_bytes(), 1500U);
  const auto refused = ledger.book("b", 1);
  EXPECT_THAT(refused.status().message(), HasSubstr("resident 1500 bytes"));
  booking.settle(0);
  EXPECT_EQ(ledger.resident_bytes(), 0U);
  EXPECT_TRUE(ledger.book("b", 1000).ok());
  EXPECT_EQ(ledger.items().size(), 1U) << "an engine of no bytes is still listed";
}

TEST(MemoryLedger, bookings_move_and_give_back_once) {
  MemoryLedger ledger = MemoryLedger::create(1000).value();
  Booking a = ledger.book("a", 100).value();
  Booking moved = std::move(a);
  EXPECT_EQ(moved.bytes(), 100U);
  EXPECT_EQ(a.bytes(), 0U);  // NOLINT(bugprone-use-after-move): what is left must be harmless
  a.settle(50);
  EXPECT_EQ(ledger.resident_bytes(), 100U);
  Booking b = ledger.book("b", 10).value();
  b = std::move(moved);  // gives back what b had
  EXPECT_EQ(items_of(ledger), (std::vector<std::pair<std::string, std::uint64_t>>{{"a", 100}}));
  Booking& same = b;
  b = std::move(same);
  EXPECT_EQ(b.bytes(), 100U);
  b = Booking();
  EXPECT_EQ(ledger.resident_bytes(), 0U);
  b = Booking();
  EXPECT_EQ(ledger.resident_bytes(), 0U);
  EXPECT_EQ(Booking().bytes(), 0U);
}

TEST(MemoryLedger, a_booking_may_outlive_its_ledger) {
  Booking kept;
  {
    MemoryLedger ledger = MemoryLedger::create(1000).value();
    kept = ledger.book("a", 100).value();
  }
  EXPECT_EQ(kept.bytes(), 100U);
  kept.settle(7);
  EXPECT_EQ(kept.bytes(), 7U);
}

TEST(MemoryLedger, two_engines_of_one_name_are_two_bookings) {
  MemoryLedger ledger = MemoryLedger::create(1000).value();
  std::optional<Booking> first = ledger.book("a", 1).value();
  const Booking second = ledger.book("a", 2).value();
  first.reset();
  EXPECT_EQ(items_of(ledger), (std::vector<std::pair<std::string, std::uint64_t>>{{"a", 2}}));
}

TEST(MemoryLedger, the_budget_holds_whatever_many_threads_do) {
  constexpr std::uint64_t kBudget = 1000;
  MemoryLedger ledger = MemoryLedger::create(kBudget).value();
  std::atomic<std::uint64_t> held{0}, refused{0}, admitted{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < 500; ++i) {
        const std::uint64_t bytes = 100 + (t * 37 + i * 11) % 300;
        auto booking = ledger.book("engine", bytes);
        if (!booking.ok()) {
          ++refused;
          continue;
        }
        ++admitted;
        // Counted by ourselves, after the ledger let us and before we give back: never more than the budget.
        EXPECT_LE(held.fetch_add(bytes) + bytes, kBudget);
        EXPECT_LE(ledger.resident_bytes(), kBudget);
        const Booking kept = *std::move(booking);
        std::this_thread::yield();
        held -= bytes;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(ledger.resident_bytes(), 0U);
  EXPECT_TRUE(ledger.items().empty());
  EXPECT_EQ(admitted + refused, 8U * 500U);
  EXPECT_GT(admitted, 0U);
}

TEST(MemoryLedger, prediction_is_the_file_and_each_contexts_buffers) {
  EXPECT_EQ(MemoryLedger::predict(100, 10, 3), 130U);
  EXPECT_EQ(MemoryLedger::predict(100, 0, 1), 100U + MemoryLedger::kUnknownContextBytes);
  EXPECT_EQ(MemoryLedger::predict(0, 0, 2), 2 * MemoryLedger::kUnknownContextBytes);
  EXPECT_EQ(MemoryLedger::predict(100, 10, 0), 110U) << "at least one context";
  EXPECT_EQ(MemoryLedger::predict(100, 10, -5), 110U);
  EXPECT_EQ(MemoryLedger::predict(1, UINT64_MAX, 1), UINT64_MAX) << "a manifest cannot make it wrap";
  EXPECT_EQ(MemoryLedger::predict(UINT64_MAX, 1, 1), UINT64_MAX);
  EXPECT_EQ(MemoryLedger::predict(0, UINT64_MAX / 2, 3), UINT64_MAX);
  EXPECT_EQ(MemoryLedger::kUnknownContextBytes, 256U << 20);
}

}  // namespace
}  // namespace tern
