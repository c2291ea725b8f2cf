// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// JSON's templates: templates.cpp instantiates them once, instead of each source that reads or writes JSON.
#pragma once

#include <nlohmann/json.hpp>

#ifndef TERN_TEMPLATES_HERE
#define TERN_TEMPLATES_HERE extern
#endif
TERN_TEMPLATES_HERE template class nlohmann::basic_json<>;
TERN_TEMPLATES_HERE template class nlohmann::basic_json<nlohmann::ordered_map>;
TERN_TEMPLATES_HERE template class nlohmann::detail::serializer<nlohmann::json>;
TERN_TEMPLATES_HERE template class nlohmann::detail::serializer<nlohmann::ordered_json>;
TERN_TEMPLATES_HERE template class nlohmann::detail::json_sax_dom_parser<nlohmann::json>;
TERN_TEMPLATES_HERE template class nlohmann::detail::json_sax_dom_parser<nlohmann::ordered_json>;
TERN_TEMPLATES_HERE template class nlohmann::detail::json_sax_dom_callback_parser<nlohmann::json>;
TERN_TEMPLATES_HERE template class nlohmann::detail::json_sax_dom_callback_parser<nlohmann::ordered_json>;
