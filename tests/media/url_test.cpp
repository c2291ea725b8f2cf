// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/url.h"

#include <gtest/gtest.h>

namespace tern {
namespace {

TEST(Url, ShowsTheHostAlone) {
  EXPECT_EQ(shown_url("rtsp://192.168.1.20:554/stream1"), "rtsp://192.168.1.20:554");
  EXPECT_EQ(shown_url("rtsp://admin:secret@camera/live?token=x"), "rtsp://camera");
  EXPECT_EQ(shown_url("rtsp://admin:sec@ret@camera:8554"), "rtsp://camera:8554");
  EXPECT_EQ(shown_url("https://host?key=secret"), "https://host");
  EXPECT_EQ(shown_url("https://[::1]:80/#x"), "https://[::1]:80");
  EXPECT_EQ(shown_url("/dev/video0"), "/dev/video0");
  EXPECT_EQ(shown_url(""), "");
  EXPECT_EQ(shown_url("://"), "://");
}

TEST(Url, HidesPasswordsThatAreNotEscaped) {
  EXPECT_EQ(shown_url("rtsp://admin:se/cret@camera/live"), "rtsp://...");
  EXPECT_EQ(shown_url("rtsp://camera/live?mail=a@secret"), "rtsp://...");
}

TEST(Url, CutsEveryUrlOfAText) {
  EXPECT_EQ(with_shown_urls("'rtsp://a:b@host/x': refused, and http://c:d@other/y?z too"),
            "'rtsp://host': refused, and http://other too");
  EXPECT_EQ(with_shown_urls("nothing"), "nothing");
  EXPECT_EQ(with_shown_urls("rtsp://a:b@host/x"), "rtsp://host");
}

}  // namespace
}  // namespace tern
