// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/web_access.h"

#include <fstream>
#include <string>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "temporary_folder.h"
#include "web/request_head.h"

namespace tern {
namespace {

const std::string kToken = "0123456789abcdef-_.~";

// The value of the cookie that set_cookie() sets, as a browser sends it back.
std::string cookie_of(const WebAccess& access, int port) {
  const std::string set = access.set_cookie(port);
  return set.substr(0, set.find(';'));
}

TEST(WebAccess, WithoutATokenNothingIsOne) {
  const WebAccess access;
  EXPECT_FALSE(access.needs_token());
  EXPECT_FALSE(access.is_token(""));
  EXPECT_FALSE(access.is_authorization("Bearer "));
  EXPECT_FALSE(access.is_cookie("tern_8080=", 8080));
}

TEST(WebAccess, TellsItsTokenFromOthers) {
  const auto access = WebAccess::from_token(kToken);
  ASSERT_TRUE(access.ok());
  EXPECT_TRUE(access->needs_token());
  EXPECT_TRUE(access->is_token(kToken));
  for (std::size_t i = 0; i < kToken.size(); ++i) {
    std::string other = kToken;
    other[i] = other[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(access->is_token(other)) << i;
    EXPECT_FALSE(access->is_token(kToken.substr(0, i))) << i;
  }
  EXPECT_FALSE(access->is_token(kToken + "0"));
}

TEST(WebAccess, ReadsTheAuthorizationHeader) {
  const auto access = WebAccess::from_token(kToken);
  ASSERT_TRUE(access.ok());
  for (const std::string& header : {"Bearer " + kToken, "bearer " + kToken, "BEARER   " + kToken + " "})
    EXPECT_TRUE(access->is_authorization(header)) << header;
  for (const std::string& header : {std::string(), kToken, "Basic " + kToken, "Bearer" + kToken, "Bearer x" + kToken,
                                    "Bearer " + kToken + "x", std::string("Bearer ")})
    EXPECT_FALSE(access->is_authorization(header)) << header;
}

TEST(WebAccess, TheCookieDoesNotTellTheTokenAndScriptsCannotReadIt) {
  const auto access = WebAccess::from_token(kToken);
  ASSERT_TRUE(access.ok());
  const std::string set = access->set_cookie(8080);
  EXPECT_EQ(set.find(kToken), std::string::npos);
  EXPECT_NE(set.find("HttpOnly"), std::string::npos);
  EXPECT_NE(set.find("SameSite=Strict"), std::string::npos);
}

TEST(WebAccess, FindsItsCookieAmongOthers) {
  const auto access = WebAccess::from_token(kToken);
  const auto other = WebAccess::from_token(kToken + "x");
  ASSERT_TRUE(access.ok() && other.ok());
  const std::string good = cookie_of(*access, 8080);
  for (const std::string& header :
       {good, "a=b; " + good, good + "; a=b", "tern_8080=old; " + good, ";;; " + good + " ;"})
    EXPECT_TRUE(access->is_cookie(header, 8080)) << header;
  for (const std::string& header :
       {std::string(), cookie_of(*access, 8081), cookie_of(*other, 8080), "x" + good, good + "0",
        std::string("tern_8080="), std::string("tern_8080"), "tern_8080=" + kToken})
    EXPECT_FALSE(access->is_cookie(header, 8080)) << header;
}

TEST(WebAccess, RefusesTokensThatCanBeGuessedOrNotBeSent) {
  for (const std::string& token :
       {std::string(), std::string(15, 'a'), std::string(513, 'a'), std::string("0123456789abcdef g"),
        std::string("0123456789abcdef\nmore"), std::string("0123456789abcde\xC3\xA9")})
    EXPECT_EQ(WebAccess::from_token(token).status().code(), StatusCode::kConfigError) << token;
}

TEST(WebAccess, ReadsTheTokenFileThatOnlyItsOwnerCanRead) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "token";
  std::ofstream(path) << kToken << "\n";
  ::chmod(path.c_str(), 0644);
  const Status open = WebAccess::from_file(path).status();
  EXPECT_EQ(open.code(), StatusCode::kConfigError);
  EXPECT_NE(open.message().find("644"), std::string::npos) << open.message();
  ::chmod(path.c_str(), 0660);
  EXPECT_FALSE(WebAccess::from_file(path).ok());
  for (const mode_t mode : {0600U, 0400U, 0640U}) {
    ::chmod(path.c_str(), mode);
    const auto access = WebAccess::from_file(path);
    ASSERT_TRUE(access.ok()) << access.status().to_string();
    EXPECT_TRUE(access->is_token(kToken));
  }
  EXPECT_EQ(WebAccess::from_file(folder.path() / "none").status().code(), StatusCode::kIoError);
}

TEST(WebAccess, KnowsTheNamesOfLoopback) {
  for (const char* host :
       {"localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:80", "127.255.0.9:65535", "[::1]", "[::1]:8080"})
    EXPECT_TRUE(is_loopback_host(host)) << host;
  for (const char* host : {"",
                           "evil.example",
                           "evil.example:8080",
                           "127.0.0.1.evil.example",
                           "127.evil.example",
                           "localhost.evil.example",
                           "127.0.0.1:8080:8080",
                           "127.0.0.1:",
                           "127.0.0.1:port",
                           "127.0.0.256",
                           "127.0.0",
                           "127.0.0.0.1",
                           "127..0.1",
                           "128.0.0.1",
                           "[::2]",
                           "[::1",
                           "::1",
                           "localhost@evil.example",
                           "[::1]x",
                           "127.0.0.1 "})
    EXPECT_FALSE(is_loopback_host(host)) << host;
}

TEST(RequestHead, TakesOutHeadersByNameInAnyCaseHoweverOften) {
  std::string head = "GET / HTTP/1.1\r\nrange: bytes=0-\r\nRanges: a\r\nX: Range: b\r\nRANGE: bytes=1-\r\n\r\n";
  remove_header(head, "range");
  EXPECT_EQ(head, "GET / HTTP/1.1\r\nRanges: a\r\nX: Range: b\r\n\r\n");
}

TEST(RequestHead, TheFirstLineIsNoHeader) {
  std::string head = "Range: HTTP/1.1\r\nA: b\r\n\r\n";
  remove_header(head, "range");
  EXPECT_EQ(head, "Range: HTTP/1.1\r\nA: b\r\n\r\n");
}

TEST(RequestHead, KnowsThatABodyFollows) {
  EXPECT_FALSE(has_body("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(has_body("GET / HTTP/1.1\r\nContent-LENGTH: 1\r\n\r\n"));
  EXPECT_TRUE(has_body("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n"));
}

TEST(RequestHead, SeesLineEndsThatSomeReadAndSomeDoNot) {
  EXPECT_FALSE(has_stray_controls("GET / HTTP/1.1\r\nA:\tb\r\n\r\n"));
  for (const std::string& head :
       {std::string("GET / HTTP/1.1\nA: b\r\n\r\n"), std::string("GET / HTTP/1.1\r\nA: b\rRange: c\r\n\r\n"),
        std::string("GET /\0 HTTP/1.1\r\n\r\n", 19), std::string("GET / HTTP/1.1\r\nA: \x7F\r\n\r\n"),
        std::string("GET / HTTP/1.1\r")})
    EXPECT_TRUE(has_stray_controls(head));
}

}  // namespace
}  // namespace tern
