// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tern/status.h"

namespace tern {

/// Reads one JSON object key by key. The first failure is kept and everything after it is skipped; finish() returns it, or
/// refuses keys that nobody read. Messages name the key with its path ("golden.frames"). "$schema" is let pass.
class JsonObject {
 public:
  /// `path`: where the object lies in its document, "" for the document itself.
  JsonObject(const nlohmann::json& object, StatusCode code, std::string path = {});

  /// Each reads a key that must be there.
  void require(std::string_view key, std::string& out);
  void require(std::string_view key, bool& out);
  void require(std::string_view key, int& out, int min, int max);
  void require(std::string_view key, std::uint64_t& out, std::uint64_t min = 0, std::uint64_t max = UINT64_MAX);
  void require(std::string_view key, double& out, double min, double max);
  void require(std::string_view key, std::vector<std::string>& out);
  /// The key's value, for structures; null (and a kept failure) when it is missing.
  const nlohmann::json* require(std::string_view key);

  /// Each leaves `out` as it is when the key is missing.
  template <typename T, typename... Range>
  void optional(std::string_view key, T& out, Range... range) {
    if (find(key) != nullptr) require(key, out, range...);
  }
  /// The key's value, or null.
  const nlohmann::json* optional(std::string_view key) { return find(key); }

  /// Keeps a failure about `key`, unless there is one already.
  void fail(std::string_view key, std::string_view message);
  /// Keeps the failure of an object inside this one, which has its own path already.
  void fail_with(const Status& status) {
    if (status_.ok()) status_ = status;
  }
  [[nodiscard]] bool ok() const noexcept { return status_.ok(); }
  [[nodiscard]] Status finish();
  [[nodiscard]] std::string path_of(std::string_view key) const;

 private:
  const nlohmann::json* find(std::string_view key);

  const nlohmann::json& object_;
  StatusCode code_;
  std::string path_;
  std::set<std::string, std::less<>> read_;
  Status status_;
};

}  // namespace tern
