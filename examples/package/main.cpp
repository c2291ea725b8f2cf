// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// describe_model MODEL.onnx: tern's version, and the model's inputs and outputs.
#include <cstdio>
#include <string>

#include "tern/model.h"
#include "tern/version.h"

namespace {

void print(const char* kind, const tern::ValueInfo& value) {
  const std::string shape = value.shape.to_string();
  std::printf("%s %s %s\n", kind, value.name.c_str(), shape.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: describe_model MODEL.onnx\n");
    return 2;
  }
  const auto model = tern::Model::from_file(argv[1]);
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", model.status().to_string().c_str());
    return 1;
  }
  std::printf("tern %s, model %s\n", std::string(tern::version()).c_str(), model->stem().c_str());
  for (const tern::ValueInfo& input : model->inputs())
    print("input", input);
  for (const tern::ValueInfo& output : model->outputs())
    print("output", output);
  return 0;
}
