// Scores events with a network that `root-gnn export` wrote, by onnxruntime alone.
//   g++ -std=c++17 onnx_scores.cpp -I$ORT/include -L$ORT/lib -lonnxruntime -o onnx_scores
//   ./onnx_scores model.onnx < events.txt
// An object a line, its features in the order of the model's `node_features` (GeV, radians); an empty line ends an event.
#include <onnxruntime_cxx_api.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

static std::string fact(Ort::Session& session, const char* key) {
    Ort::AllocatorWithDefaultOptions allocator;
    auto text = session.GetModelMetadata().LookupCustomMetadataMapAllocated(key, allocator);
    return text ? text.get() : "";
}

int main(int argc, char** argv) {
    if (argc != 2) return std::cerr << "usage: onnx_scores model.onnx < events.txt\n", 2;
    Ort::Env environment(ORT_LOGGING_LEVEL_WARNING, "root_gnn");
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    Ort::Session session(environment, argv[1], options);

    std::vector<float> nodes;
    std::vector<std::int64_t> count;
    std::int64_t in_event = 0, total = 0;
    const auto end_event = [&] { count.push_back(in_event); total += in_event; in_event = 0; };
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        const auto before = nodes.size();
        for (float value; words >> value;) nodes.push_back(value);
        if (nodes.size() > before) ++in_event; else end_event();
    }
    if (in_event > 0) end_event();

    std::int64_t n_feature = 1;
    for (char c : fact(session, "node_features")) n_feature += c == ',';
    const std::array<std::int64_t, 2> node_shape{total, n_feature};
    const std::array<std::int64_t, 1> count_shape{static_cast<std::int64_t>(count.size())};
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    std::array<Ort::Value, 2> inputs{
        Ort::Value::CreateTensor<float>(memory, nodes.data(), nodes.size(), node_shape.data(), node_shape.size()),
        Ort::Value::CreateTensor<std::int64_t>(memory, count.data(), count.size(), count_shape.data(), count_shape.size())};
    const char* input_names[] = {"nodes", "n_node"};
    const char* output_names[] = {"probabilities"};
    auto outputs = session.Run(Ort::RunOptions{nullptr}, input_names, inputs.data(), inputs.size(), output_names, 1);

    const auto shape = outputs[0].GetTensorTypeAndShapeInfo().GetShape();
    const float* score = outputs[0].GetTensorData<float>();
    std::cout << "entry " << fact(session, "classes") << "\n";
    for (std::int64_t event = 0; event < shape[0]; ++event) {
        std::printf("%lld", static_cast<long long>(event));
        for (std::int64_t k = 0; k < shape[1]; ++k) std::printf(" %.7f", score[event * shape[1] + k]);
        std::printf("\n");
    }
}
