// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "pipeline/spec_read.h"
#include "tern/pipeline_spec.h"

namespace tern {
namespace {

constexpr double kShareTolerance = 1e-9;

template <typename Entries>
std::optional<std::size_t> index_of(const Entries& entries, std::string_view name) {
  const auto found = std::ranges::find(entries, name, [](const auto& entry) -> std::string_view { return entry.name; });
  if (found == entries.end()) return std::nullopt;
  return static_cast<std::size_t>(found - entries.begin());
}

/// Looks names up in the draft; what is not there is an error at the place of the name.
class Resolver {
 public:
  Resolver(SpecDraft& draft, YamlErrors& errors) : draft_(draft), spec_(draft.spec), errors_(errors) {}

  void run() {
    check_unique("sources", draft_.sources);
    check_unique("models", draft_.models);
    for (std::size_t i = 0; i < spec_.models.size(); ++i)
      resolve_model(i);
    check_shares();
    if (errors_.ok()) sort_models();
    for (std::size_t i = 0; i < spec_.sources.size(); ++i)
      resolve_source(i);
    for (std::size_t i = 0; i < spec_.sinks.size(); ++i)
      resolve_sink(i);
    for (std::size_t i = 0; i < draft_.steps.size(); ++i)
      resolve_step(i);
  }

 private:
  template <typename Names>
  void check_unique(std::string_view what, const std::vector<Names>& entries) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (entries[i].name.text != entries[j].name.text) continue;
        errors_.fail(entries[i].name.at, fmt::format("{}[{}].name", what, i),
                     fmt::format("{} is the name of {}[{}] too", in_quotes(entries[i].name.text), what, j));
      }
    }
  }

  template <typename Entries>
  std::optional<std::size_t> find(const YamlName& name, std::string_view path, std::string_view what,
                                  const Entries& entries) {
    const auto index = index_of(entries, name.text);
    if (index) return index;
    std::vector<std::string_view> known;
    for (const auto& entry : entries)
      known.push_back(entry.name);
    errors_.fail(name.at, path, fmt::format("there is no {} {}", what, in_quotes(name.text)),
                 suggest(name.text, known));
    return std::nullopt;
  }

  void resolve_model(std::size_t index) {
    const SpecDraft::ModelNames& names = draft_.models[index];
    PipelineSpec::Model& model = spec_.models[index];
    const auto resolve = [&](std::string_view key, const YamlName& name, std::string& out) {
      if (name.text.empty()) return;
      const std::string path = fmt::format("models[{}].{}", index, key);
      if (find(name, path, "model", spec_.models) == index)
        errors_.fail(name.at, path, "a model cannot need its own results");
      out = name.text;
    };
    resolve("crops_of", names.crops_of, model.crops_of);
    resolve("region_mask", names.region_mask, model.region_mask);
    if (!model.region_mask.empty() && model.region_mask == model.crops_of)
      errors_.fail(names.region_mask.at, fmt::format("models[{}].region_mask", index),
                   "is the model of crops_of, and one model gives either boxes or masks");
  }

  void check_shares() {
    double sum = 0;
    for (std::size_t i = 0; i < spec_.models.size(); ++i) {
      sum += spec_.models[i].share;
      if (sum > 1 + kShareTolerance)
        errors_.fail(draft_.models[i].share_at, fmt::format("models[{}].share", i),
                     fmt::format("with it the shares of the models add up to {:.4g}, which is more than 1", sum));
    }
  }

  /// Each model behind its inputs, otherwise in the order of the file.
  void sort_models() {
    std::vector<std::size_t> order;
    enum class Mark : std::uint8_t { kNew, kOpen, kDone };
    std::vector<Mark> marks(spec_.models.size(), Mark::kNew);
    const std::function<void(std::size_t)> visit = [&](std::size_t index) {  // as deep as there are models: 64
      if (marks[index] == Mark::kDone) return;
      if (marks[index] == Mark::kOpen) {
        errors_.fail(draft_.models[index].crops_of.at, fmt::format("models[{}]", index),
                     fmt::format("{} needs its own results by way of others", in_quotes(spec_.models[index].name)));
        return;
      }
      marks[index] = Mark::kOpen;
      for (const std::string& input : {spec_.models[index].crops_of, spec_.models[index].region_mask}) {
        if (const auto of = input.empty() ? std::nullopt : index_of(spec_.models, input); of && errors_.ok())
          visit(*of);
      }
      marks[index] = Mark::kDone;
      order.push_back(index);
    };
    for (std::size_t i = 0; i < spec_.models.size() && errors_.ok(); ++i)
      visit(i);
    if (!errors_.ok()) return;
    std::vector<PipelineSpec::Model> sorted;
    for (const std::size_t index : order)
      sorted.push_back(std::move(spec_.models[index]));
    spec_.models = std::move(sorted);
  }

  void resolve_source(std::size_t index) {
    const SpecDraft::SourceNames& names = draft_.sources[index];
    PipelineSpec::Source& source = spec_.sources[index];
    std::vector<bool> has(spec_.models.size(), !names.has_models);
    for (std::size_t i = 0; i < names.models.size(); ++i) {
      if (const auto model =
              find(names.models[i], fmt::format("sources[{}].models[{}]", index, i), "model", spec_.models))
        has[*model] = true;
    }
    bool has_running = false;
    for (std::size_t i = 0; i < spec_.models.size(); ++i) {
      if (!has[i]) continue;
      const PipelineSpec::Model& model = spec_.models[i];
      source.models.push_back(model.name);
      has_running |= !model.is_standby && model.crops_of.empty();
      for (const std::string& input : {model.crops_of, model.region_mask}) {
        const auto of = input.empty() ? std::nullopt : index_of(spec_.models, input);
        if (of && !has[*of])
          errors_.fail(names.name.at, fmt::format("sources[{}].models", index),
                       fmt::format("model {} needs the results of {}, which is not among them", in_quotes(model.name),
                                   in_quotes(input)));
      }
    }
    if (!has_running)
      errors_.fail(names.name.at, fmt::format("sources[{}].models", index),
                   "only models on standby or on crops are among them: nothing would run");
  }

  void resolve_sink(std::size_t index) {
    const YamlName& name = draft_.sink_sources[index];
    if (name.text.empty()) return;
    (void)find(name, fmt::format("sinks[{}].source", index), "source", spec_.sources);
    spec_.sinks[index].source = name.text;
  }

  void resolve_step(std::size_t index) {
    ThermalStep& step = spec_.thermal.steps[index];
    for (const YamlName& name : draft_.steps[index].off) {
      const std::string path = fmt::format("thermal.steps[{}].off", index);
      const auto model = find(name, path, "model", spec_.models);
      if (model && spec_.models[*model].is_standby)
        errors_.fail(name.at, path,
                     fmt::format("{} is on standby, and off unless a step switches it on", in_quotes(name.text)));
      step.off.push_back(name.text);
    }
    for (const YamlName& name : draft_.steps[index].on) {
      const std::string path = fmt::format("thermal.steps[{}].on", index);
      const auto model = find(name, path, "model", spec_.models);
      if (model && !spec_.models[*model].is_standby)
        errors_.fail(name.at, path,
                     fmt::format("{} is not on standby, and on unless a step switches it off", in_quotes(name.text)));
      step.on.push_back(name.text);
    }
  }

  SpecDraft& draft_;
  PipelineSpec& spec_;
  YamlErrors& errors_;
};

}  // namespace

void resolve_spec(SpecDraft& draft, YamlErrors& errors) {
  Resolver(draft, errors).run();
}

Result<PipelineSpec> PipelineSpec::parse(std::string_view yaml, std::string_view name) {
  if (yaml.size() > kMaxFileBytes)
    return make_error(StatusCode::kConfigError, "has {} bytes, and {} are allowed", yaml.size(), kMaxFileBytes)
        .at(name);
  TERN_ASSIGN_OR_RETURN(const YamlNode root, parse_yaml(yaml, name));
  YamlErrors errors(name);
  SpecDraft draft = read_spec(root, errors);
  if (errors.ok()) resolve_spec(draft, errors);
  if (!errors.ok()) return errors.status();
  return std::move(draft.spec);
}

Result<PipelineSpec> PipelineSpec::read(const std::filesystem::path& file) {
  TERN_ASSIGN_OR_RETURN(const std::string text, read_text_file(file, kMaxFileBytes));
  return parse(text, file.string());
}

Result<SchedulerConfig> PipelineSpec::scheduler_config(const std::vector<LatencyCurve>& curves, int executors) const {
  if (curves.size() != models.size())
    return make_error(StatusCode::kConfigError, "{} latency curves for {} models", curves.size(), models.size());
  SchedulerConfig config{.executors = executors,
                         .order = order,
                         .batching = batching,
                         .fixed_batch = fixed_batch,
                         .fixed_timeout = fixed_timeout,
                         .drop_hopeless = drop_hopeless};
  for (std::size_t i = 0; i < models.size(); ++i) {
    const Model& model = models[i];
    SchedulerConfig::Model& of = config.models.emplace_back();
    of = {.name = model.name,
          .curve = curves[i],
          .max_batch = model.max_batch,
          .priority = model.priority,
          .share = model.share,
          .max_items = model.crops_of.empty() ? 1 : model.max_crops};
    for (const std::string& input : {model.crops_of, model.region_mask}) {
      if (const auto index = input.empty() ? std::nullopt : index_of(models, input))
        of.inputs.push_back(static_cast<int>(*index));
    }
  }
  for (const Source& source : sources) {
    SchedulerConfig::Source& of = config.sources.emplace_back();
    of = {.name = source.name,
          .newest_wins = source.newest_wins,
          .capacity = source.queue,
          .deadline = source.deadline,
          .max_started = source.in_flight};
    for (const std::string& model : source.models)
      of.models.push_back(static_cast<int>(index_of(models, model).value_or(models.size())));
  }
  TERN_RETURN_IF_ERROR(Scheduler::create(config).status());
  return config;
}

void apply_thermal_step(const ThermalGovernor& governor, const PipelineSpec& spec, Scheduler& scheduler) {
  scheduler.set_min_interval(governor.min_interval());
  for (std::size_t i = 0; i < spec.models.size(); ++i)
    scheduler.set_enabled(static_cast<int>(i), governor.is_running(spec.models[i].name, spec.models[i].is_standby));
}

}  // namespace tern
