using System.Collections.Immutable;
using System.Text;
using Optc.Backends.EthosU;
using Optc.Formats.EthosU;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.EthosU;
using Xunit;

namespace Optc.Tests.Unit.Backends.EthosU;

public sealed class EthosUPackageTests
{
    public static TheoryData<string> Accelerators => [.. Accelerator.All.Select(a => a.Name)];

    public static TheoryData<string, string> Compiled => new()
    {
        { "real_kws_dw", "kws_ref_model" }, { "real_ad01_fc", "ad01_int8" }, { "real_vww_pw_a", "vww_96_int8" }, { "real_vww_pw_b", "vww_96_int8" },
    };

    public static TheoryData<string> Models
    {
        get
        {
            TheoryData<string> models = [];
            foreach (string name in (ReadOnlySpan<string>)["ad01_int8", "vww_96_int8", "kws_ref_model", "micro_speech_quantized", "hello_world_int8", "seanet_transpose_conv1"])
            {
                models.Add(name);
            }

            return models;
        }
    }

    [Theory]
    [MemberData(nameof(Accelerators))]
    public void Holds_every_weight_of_the_model(string accelerator)
    {
        Module module = NetworkSample.Int8();

        EthosUPackage package = Roundtrip(EthosUPackage.Pack(module, "sample", new(Accelerator.Find(accelerator)!) { SliceDepth = 16 }));

        Assert.Equal(["first", "wide", "depth", "up", "dense"], package.Layers.Select(l => l.Name));
        Assert.Empty(package.LeftOut);
        RequireWeightsOf(module, package);
    }

    [SharedTheory]
    [MemberData(nameof(Models))]
    public void Holds_every_weight_of_real_models(string name)
    {
        Module module = Load(name);

        foreach (Accelerator accelerator in (ReadOnlySpan<Accelerator>)[Accelerator.All[0], Accelerator.All[3], Accelerator.All[5]])
        {
            RequireWeightsOf(module, Roundtrip(EthosUPackage.Pack(module, name, new(accelerator) { BlockDepth = 32 })));
        }
    }

    [SharedTheory]
    [MemberData(nameof(Compiled))]
    public void A_layer_has_the_stream_that_the_compiler_of_the_hardware_made(string vector, string model)
    {
        WeightVector compiled = WeightVector.Read(vector);
        EthosUPackage package = EthosUPackage.Pack(Load(model), model, new(Accelerator.Find("ethos-u55-256")!) { BlockDepth = 16 });

        Assert.Contains(package.Layers, layer => StreamsOf(package, layer, compiled.Weights.Length).Any(s => s.Span.SequenceEqual(compiled.Stream)));
    }

    [Fact]
    public void Traversal_follows_the_layer()
    {
        EthosUPackage package = EthosUPackage.Pack(NetworkSample.Int8(), "sample", new(Accelerator.All[2]));

        Assert.Equal(
            [WeightTraversal.PartKernelFirst, WeightTraversal.PartKernelFirst, WeightTraversal.Depthwise, WeightTraversal.PartKernelFirst, WeightTraversal.DepthFirst],
            package.Layers.Select(l => l.Layout.Traversal));
        Assert.Equal((2, 2), (package.Layers[2].Layout.DilationHeight, package.Layers[2].Layout.DilationWidth));
    }

    [Fact]
    public void The_block_depth_with_the_fewest_bytes_is_taken()
    {
        Module module = NetworkSample.Int8();
        EthosUPackage best = EthosUPackage.Pack(module, "sample", new(Accelerator.All[2]));
        foreach (int depth in (ReadOnlySpan<int>)[8, 16, 24, 32, 40])
        {
            EthosUPackage other = EthosUPackage.Pack(module, "sample", new(Accelerator.All[2]) { BlockDepth = depth });

            Assert.All(best.Layers.Zip(other.Layers), p => Assert.True(depth == 8 || p.First.Length <= p.Second.Length));
        }
    }

    [Fact]
    public void The_shortest_streams_are_never_longer()
    {
        Module module = NetworkSample.Int8();

        EthosUPackage compatible = EthosUPackage.Pack(module, "sample", new(Accelerator.All[2]));
        EthosUPackage smallest = Roundtrip(EthosUPackage.Pack(module, "sample", new(Accelerator.All[2]) { Codec = WeightCodecMode.Smallest }));

        Assert.All(smallest.Layers.Zip(compatible.Layers), p => Assert.True(p.First.StreamBytes <= p.Second.StreamBytes));
        RequireWeightsOf(module, smallest);
    }

    [Fact]
    public void Dense_layers_multiply_scales_in_float_and_convolutions_in_double()
    {
        EthosUPackage package = EthosUPackage.Pack(NetworkSample.Int8(), "sample", new(Accelerator.All[2]));

        Assert.Equal(ScaleEntry.Of(0, (double)(0.3f * 0.013f) / 0.4f) with { Bias = BiasOf(9, 33) }, package.Unpack(package.Layers[4]).Entries[0]);
        Assert.NotEqual((double)0.3f * 0.013f, (double)(0.3f * 0.013f));
        Assert.Equal(ScaleEntry.Of(0, (double)0.1f * (0.01f + (0.003f * 0)) / 0.2f) with { Bias = BiasOf(4, 20) }, package.Unpack(package.Layers[1]).Entries[0]);
    }

    [Theory]
    [InlineData(DType.I64, true)]
    [InlineData(DType.I32, false)]
    public void Wide_inputs_with_wide_biases_have_a_multiplier_of_16_bits(DType biasType, bool isReduced)
    {
        GraphBuilder graph = new("main");
        Value x = graph.Input("x", new(DType.I16, [1, 4, 4, 3], new(0.001f, 0)));
        Value bias = biasType is DType.I64
            ? GraphBuilder.Constant(TensorData.From<long>(DType.I64, [5], [1, 2, -(1L << 38), 4, 5]), "b")
            : NetworkSample.Bias("b", 1, 5);
        graph.Output(graph.Add(
            new Conv2D(1, 1, PaddingMode.Same, BiasType: biasType), [x, NetworkSample.Weights("w", 2, [5, 3, 3, 3], axis: 0), bias], "conv", new QuantParams(0.002f, 0)).Output);
        EthosUPackage package = Roundtrip(EthosUPackage.Pack(GraphBuilder.Module([graph.Build()]), "sample", new(Accelerator.All[0])));

        ScaleEntry entry = package.Unpack(package.Layers[0]).Entries[2];
        ScaleEntry full = ScaleEntry.Of(entry.Bias, (double)0.001f * (0.01f + (0.003f * 2)) / 0.002f);

        Assert.Equal(isReduced ? full.Reduced() : full, entry);
        Assert.Equal(16, package.Layers[0].Layout.InputBits);
    }

    [Fact]
    public void Float_models_are_told_to_be_quantized_first()
    {
        GraphBuilder graph = new("main");
        Value x = graph.Input("x", new(DType.F32, [1, 4]));
        graph.Output(graph.Add(new FullyConnected(), [x, GraphBuilder.Constant(TensorData.FromFloats([2, 4], new float[8]), "w")], "dense").Output);

        Diagnostic problem = Assert.Single(Assert.Throws<DiagnosticException>(
            () => EthosUPackage.Pack(GraphBuilder.Module([graph.Build()]), "float.tflite", new(Accelerator.All[0]))).Diagnostics);

        Assert.Equal(DiagnosticId.NothingToPack, problem.Id);
        Assert.Contains("optc quantize", problem.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_that_the_hardware_does_not_have_are_left_out_with_the_reason()
    {
        GraphBuilder graph = new("main");
        Value x = graph.Input("x", new(DType.I8, [1, 8, 8, 4], new(0.05f, 0)));
        QuantParams grid = new(0.1f, 0);
        Value wide = graph.Add(new Conv2D(1, 1, PaddingMode.Same, DilationH: 3), [x, NetworkSample.Weights("w0", 1, [4, 3, 3, 4], axis: 0)], "dilated", grid).Output;
        Value groups = graph.Add(new Conv2D(1, 1, PaddingMode.Same), [wide, NetworkSample.Weights("w1", 2, [4, 3, 3, 2], axis: 0)], "groups", grid).Output;
        Value filters = graph.Add(new DepthwiseConv2D(1, 1, PaddingMode.Same, 2), [groups, NetworkSample.Weights("w2", 3, [1, 3, 3, 8], axis: 3)], "filters", grid).Output;
        Value offset = graph.Add(new Add(), [filters, NetworkSample.Weights("c", 4, [1, 8], axis: null)], "offset", grid).Output;
        graph.Output(graph.Add(new Conv2D(1, 1, PaddingMode.Same), [offset, NetworkSample.Weights("w3", 5, [3, 1, 1, 8], axis: 0)], "kept", grid).Output);

        EthosUPackage package = Roundtrip(EthosUPackage.Pack(GraphBuilder.Module([graph.Build()]), "sample", new(Accelerator.All[0])));

        Assert.Equal("kept", Assert.Single(package.Layers).Name);
        Assert.Equal(
            [
                ("dilated", "the hardware has no kernels with a dilation above 2"),
                ("groups", "the hardware has no convolution in groups"),
                ("filters", "the hardware computes one filter for each input channel"),
                ("offset", "the hardware has a weight stream for convolutions and dense layers only"),
            ],
            package.LeftOut.Select(l => (l.Name, l.Reason)));
    }

    [Theory]
    [InlineData(20, null)]
    [InlineData(136, null)]
    [InlineData(null, 24)]
    public void Depths_that_the_processor_does_not_have_are_refused(int? block, int? slice) => Assert.Throws<DiagnosticException>(
        () => EthosUPackage.Pack(NetworkSample.Int8(), "sample", new(Accelerator.All[2]) { BlockDepth = block, SliceDepth = slice }));

    [Theory]
    [InlineData("\"blockDepth\": 16", "\"blockDepth\": 24")]
    [InlineData("\"traversal\": \"depth-first\"", "\"traversal\": \"depthwise\"")]
    [InlineData("\"inputBits\": 8", "\"inputBits\": 16")]
    [InlineData("\"padding\": ", "\"padding\": 1")]
    [InlineData("\"cores\": 1", "\"cores\": 2")]
    [InlineData("\"weights\": ", "\"weights\": 1")]
    [InlineData("\"weightOffset\": 64", "\"weightOffset\": 80")]
    [InlineData("\"slice\": 0", "\"slice\": 1")]
    [InlineData("\"bitsPerWeight\": ", "\"bitsPerWeight\": 1")]
    [InlineData("\"leftOut\": []", "\"leftOut\": {}")]
    [InlineData("\"format\": \"optc-ethos-u-1\"", "\"format\": \"optc-ethos-u-2\"")]
    [InlineData("\"codec\"", "\"codek\"")]
    [InlineData("\"model\": \"sample\"", "\"model\": \"\\ud800\"")]
    [InlineData("\"shapeOhwi\": [\n        33", "\"shapeOhwi\": [\n        2147483647")]
    [InlineData("{\n  \"format\"", "{\n  \"more\": 1,\n  \"format\"")]
    [InlineData("\"codec\": \"compatible\"", "\"codec\": \"compatible\", \"codec\": \"compatible\"")]
    public void A_manifest_that_says_something_else_than_the_blob_is_refused(string truth, string change)
    {
        EthosUPackage package = EthosUPackage.Pack(NetworkSample.Int8(), "sample", new(Accelerator.All[2]) { BlockDepth = 16 });
        string manifest = Encoding.UTF8.GetString(package.WriteManifest());
        int at = manifest.LastIndexOf(truth, StringComparison.Ordinal);

        Assert.True(at >= 0);
        RequireRefusal(manifest[..at] + change + manifest[(at + truth.Length)..], package.Blob.ToArray());
    }

    [Fact]
    public void A_blob_that_is_not_that_of_the_manifest_is_refused()
    {
        EthosUPackage package = EthosUPackage.Pack(NetworkSample.Int8(), "sample", new(Accelerator.All[2]));
        byte[] blob = package.Blob.ToArray();
        blob[^40] ^= 4;

        Diagnostic problem = RequireRefusal(Encoding.UTF8.GetString(package.WriteManifest()), blob);

        Assert.Equal("manifest > blobSha256", Assert.Single(problem.At));
    }

    [Fact]
    public void The_same_model_gives_the_same_bytes()
    {
        byte[][] first = Files();

        Assert.Equal(first, Files());

        static byte[][] Files() => [.. EthosUPackage.Pack(NetworkSample.Int8(), "sample", new(Accelerator.All[5])).ToFiles("sample").Files.Select(f => f.ToArray())];
    }

    /// <summary>Streams of all slices of a layer that have so many weights, in blocks of all depths.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> StreamsOf(EthosUPackage package, PackedLayer layer, int count)
    {
        LayerContent content = package.Unpack(layer);
        int channels = layer.Layout.Shape.OutputChannels;
        for (int start = 0; start < channels; start += 16)
        {
            for (int end = Math.Min(start + 16, channels); end <= channels; end += 16)
            {
                ImmutableArray<int> offsets = [.. new SortedSet<int> { 0, start, end, channels }];
                foreach (int depth in TensorLayout.BlockDepths(package.Accelerator, end - start))
                {
                    TensorLayout layout = layer.Layout with { BlockDepth = depth, DepthOffsets = offsets };
                    if ((layout with { Shape = layout.Shape with { OutputChannels = end - start }, DepthOffsets = [0, end - start] }).CountReordered() == count)
                    {
                        PackedTensor packed = PackedTensor.Of(layout, content.Weights.Span, content.Entries.AsSpan());
                        WeightRange range = packed.Ranges[offsets.IndexOf(start)];
                        yield return packed.Bytes[(range.Offset + range.WeightOffset)..range.End];
                    }
                }
            }
        }
    }

    private static Diagnostic RequireRefusal(string manifest, byte[] blob)
    {
        Diagnostic problem = Assert.Single(Assert.Throws<DiagnosticException>(() => EthosUPackage.Read(Encoding.UTF8.GetBytes(manifest), blob)).Diagnostics);
        Assert.Equal(DiagnosticId.DamagedPackage, problem.Id);
        return problem;
    }

    private static EthosUPackage Roundtrip(EthosUPackage package) => EthosUPackage.Read(package.WriteManifest(), package.Blob);

    private static Module Load(string name) => FrontendSet.Read(File.ReadAllBytes(Path.Combine(SharedFolder.Path, "models", name, $"{name}.tflite")), name);

    private static int BiasOf(int seed, int count) => NetworkSample.Bias("b", seed, count).Constant!.AsInts()[0];

    /// <summary>Compares with the constants of the model, found by the layouts of TFLite.</summary>
    private static void RequireWeightsOf(Module module, EthosUPackage package)
    {
        Node[] nodes = [.. module.Graphs.SelectMany(g => g.Nodes).Where(n => n.Op is Conv2D or DepthwiseConv2D or FullyConnected or TransposeConv)];
        Assert.Equal(nodes.Length, package.Layers.Length);
        foreach ((Node node, PackedLayer layer) in nodes.Zip(package.Layers))
        {
            Assert.Equal(node.Name, layer.Name);
            LayerContent content = package.Unpack(layer);
            WeightShape shape = layer.Layout.Shape;
            TensorData weights = node.Inputs[1]!.Constant!;
            QuantParams quant = node.Inputs[1]!.Type.Quant!;
            TensorData? bias = node.Input(node.Op is TransposeConv ? 3 : 2)?.Constant;
            int at = 0;
            for (int o = 0; o < shape.OutputChannels; o++)
            {
                Assert.Equal(bias?.AsInts()[o] ?? 0, content.Entries[o].Bias);
                for (int h = 0; h < shape.KernelHeight; h++)
                {
                    for (int w = 0; w < shape.KernelWidth; w++)
                    {
                        for (int i = 0; i < shape.InputChannels; i++, at++)
                        {
                            int place = node.Op switch
                            {
                                DepthwiseConv2D => (((h * shape.KernelWidth) + w) * shape.OutputChannels) + o,
                                TransposeConv => (((((o * shape.KernelHeight) + shape.KernelHeight - 1 - h) * shape.KernelWidth) + shape.KernelWidth - 1 - w) * shape.InputChannels) + i,
                                _ => (((((o * shape.KernelHeight) + h) * shape.KernelWidth) + w) * shape.InputChannels) + i,
                            };
                            int code = weights.DType is DType.U8 ? weights.Bytes.Span[place] : (sbyte)weights.Bytes.Span[place];
                            if (content.Weights.Span[at] != code - quant.ZeroPoint)
                            {
                                Assert.Fail($"{layer.Name} [{o}, {h}, {w}, {i}]: {content.Weights.Span[at]}, not {code - quant.ZeroPoint}");
                            }
                        }
                    }
                }
            }
        }
    }
}
