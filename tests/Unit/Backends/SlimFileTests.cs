using System.Collections.Immutable;
using Optc.Backends.TfLite;
using Optc.Formats.TfLite;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.TfLite;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.TfLite;
using Optc.Tests.Unit.Passes;
using Xunit;
using TfLiteTarget = Optc.Backends.TfLite.TfLiteTarget;

namespace Optc.Tests.Unit.Backends;

/// <summary>Files without anything superfluous, for all runtimes and for TFLite Micro alone.</summary>
public sealed class SlimFileTests
{
    private static readonly TfLiteWriteOptions Portable = new(TfLiteNames.Interface);
    private static readonly TfLiteWriteOptions Micro = new(TfLiteNames.Interface, TfLiteTarget.Micro);

    public static TheoryData<string> ModelNames => [.. SharedFolder.Exists ? ModelFiles.Names() : ["(missing)"]];

    /// <summary>Bytes as shipped, and what no file may exceed; none of it is content that any runtime reads.</summary>
    [SharedTheory]
    [InlineData("kws_ref_model", 53_936, 32_768)]
    [InlineData("hello_world_int8", 2_704, 1_696)]
    [InlineData("micro_speech_quantized", 18_800, 18_064)]
    [InlineData("ad01_int8", 276_976, 273_584)]
    [InlineData("keyword_scrambled_taps", 34_472, 32_176)]
    [InlineData("trained_lstm", 41_240, 39_616)]
    [InlineData("dtln_noise_suppression", 372_720, 369_360)]
    [InlineData("kws_ref_model_float32", 43_392, 35_984)]
    [InlineData("audio_preprocessor_int8", 8_772, 6_144)]
    [InlineData("micro_speech_lstm_taps", 124_776, 123_088)]
    public void Reaches_the_published_sizes(string name, int shipped, int bytes)
    {
        string folder = Path.Combine("models", name) + Path.DirectorySeparatorChar;
        byte[] file = ModelFiles.Load(ModelFiles.Names().Single(n => n.StartsWith(folder, StringComparison.Ordinal)));

        byte[] portable = Write(file, Portable);
        byte[] micro = Write(file, Micro);

        Assert.Equal(shipped, file.Length);
        Assert.InRange(portable.Length, 1, bytes);
        Assert.InRange(micro.Length, 1, portable.Length);
    }

    [SharedTheory]
    [MemberData(nameof(ModelNames))]
    public void A_second_time_changes_nothing(string name)
    {
        byte[] file = ModelFiles.Load(name);
        foreach (TfLiteWriteOptions options in (TfLiteWriteOptions[])[Portable, Micro, TfLiteWriteOptions.Default, TfLiteWriteOptions.WithAllNames])
        {
            byte[] once = Write(file, options);

            Assert.Equal(once, Write(once, options));
            Assert.Equal(TfLiteFile.Read(once), TfLiteFile.Read(Write(once, options)));
        }

        // Names that are gone are not made up into the file.
        byte[] slim = Write(file, Portable);
        Assert.Equal(slim, Write(slim, TfLiteWriteOptions.WithAllNames));
    }

    [SharedTheory]
    [MemberData(nameof(ModelNames))]
    public void Everything_that_computes_is_kept(string name)
    {
        Module before = FrontendSet.Read(ModelFiles.Load(name), name);
        foreach (TfLiteWriteOptions options in (TfLiteWriteOptions[])[Portable, Micro])
        {
            Module after = FrontendSet.Read(TfLiteBackend.ToArray(before, options), name);
            AssertSame(before, after, options.Target);
        }
    }

    [Fact]
    public void Random_modules_survive()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Module before = RandomGraph.Make(seed);
            foreach (TfLiteNames names in Enum.GetValues<TfLiteNames>())
            {
                TfLiteWriteOptions options = new(names);
                byte[] file = TfLiteBackend.ToArray(before, options);
                Module after = FrontendSet.Read(file, $"seed {seed}");

                AssertSame(before, after, TfLiteTarget.Portable);
                Assert.Equal(file, TfLiteBackend.ToArray(after, options));
                if (names is TfLiteNames.All)
                {
                    Assert.Equal(before.Main.Values().Select(v => v.Name), after.Main.Values().Select(v => v.Name));
                }
            }
        }
    }

    [SharedTheory]
    [MemberData(nameof(ModelNames))]
    public void Data_are_aligned_and_stored_once(string name)
    {
        byte[] file = ModelFiles.Load(name);
        foreach ((TfLiteWriteOptions options, int alignment) in ((TfLiteWriteOptions, int)[])[(Portable, 16), (Micro, 4)])
        {
            byte[] written = Write(file, options);
            ModelRecord model = TfLiteFile.Read(written);

            Assert.True(model.Buffers[0].Data.IsEmpty);
            Assert.All(model.Buffers.Skip(1), b => Assert.False(b.Data.IsEmpty));
            Assert.All(model.Buffers.Skip(1), b => Assert.Equal(0, OffsetOf(b.Data) % alignment));
            Assert.Equal(model.Buffers.Length, model.Buffers.Select(b => Convert.ToHexString(b.Data.Span)).Distinct().Count());
            HashSet<uint> used =
            [
                0,
                .. model.Subgraphs.SelectMany(s => s.Tensors).Select(t => t.Buffer),
                .. model.Metadata.Select(m => m.Buffer),
            ];
            Assert.Equal(model.Buffers.Length, used.Count);
            Assert.Equal(model.OperatorCodes.Length, model.Subgraphs.SelectMany(s => s.Operators).Select(o => o.OpcodeIndex).Distinct().Count());
        }
    }

    [Fact]
    public void Micro_files_have_one_zero_point_and_no_scales_of_biases()
    {
        Module module = Convolution();

        TensorRecord[] portable = [.. TfLiteFile.Read(TfLiteBackend.ToArray(module, Portable)).Subgraphs[0].Tensors];
        TensorRecord[] micro = [.. TfLiteFile.Read(TfLiteBackend.ToArray(module, Micro)).Subgraphs[0].Tensors];

        Assert.Equal<long>([0, 0, 0], portable.Single(t => t.Shape.Length == 4 && t.Buffer > 0).Quantization!.ZeroPoint);
        Assert.Equal<long>([0], micro.Single(t => t.Shape.Length == 4 && t.Buffer > 0).Quantization!.ZeroPoint);
        Assert.Equal(3, portable.Single(t => t.Shape.Length == 1).Quantization!.Scale.Length);
        Assert.Null(micro.Single(t => t.Shape.Length == 1).Quantization);

        // Per-tensor parameters stay as they are: without its zero point a scale is not read.
        Assert.All(micro.Where(t => t.Buffer == 0), t => Assert.Single(t.Quantization!.ZeroPoint));
    }

    [Fact]
    public void A_bias_with_the_axis_of_its_filter_is_repaired()
    {
        ModelRecord model = TfLiteBackend.ToRecords(Convolution(), Portable);
        SubGraphRecord graph = model.Subgraphs[0];
        ModelRecord damaged = model with
        {
            Subgraphs =
            [
                graph with
                {
                    Tensors = [.. graph.Tensors.Select(t => t.Shape.Length == 1 ? t with { Quantization = t.Quantization! with { QuantizedDimension = 3 } } : t)],
                },
            ],
        };

        byte[] written = Write(TfLiteFile.ToArray(damaged), Portable);

        Assert.Equal(TfLiteFile.ToArray(model), written);
    }

    [Fact]
    public void Names_follow_from_layers_where_they_can()
    {
        Module module = Convolution();

        string?[] all = [.. TfLiteFile.Read(TfLiteBackend.ToArray(module, TfLiteWriteOptions.WithAllNames)).Subgraphs[0].Tensors.Select(t => t.Name)];
        Module slim = FrontendSet.Read(TfLiteBackend.ToArray(module, Portable), "slim");

        // The filter is called as a reader would call it.
        Assert.Equal("x - constants conv y", string.Join(' ', all.Select(n => n ?? "-")));
        Assert.Equal(new[] { "x", "conv_2d_0/w", "conv_2d_0/bias", "conv_2d_0", "y" }, slim.Main.Values().Select(v => v.Name));
    }

    [Fact]
    public void Float_models_keep_their_names_unless_asked_otherwise()
    {
        Module real = RandomGraph.Make(3);
        Module integer = Convolution();

        Assert.Equal(TfLiteBackend.ToArray(real, TfLiteWriteOptions.WithAllNames), TfLiteBackend.ToArray(real));
        Assert.Equal(TfLiteBackend.ToArray(integer, Portable), TfLiteBackend.ToArray(integer));
        Assert.NotEqual(TfLiteBackend.ToArray(integer, TfLiteWriteOptions.WithAllNames), TfLiteBackend.ToArray(integer));
    }

    [Fact]
    public void Metadata_that_only_tell_of_the_conversion_are_dropped()
    {
        Module module = Convolution();
        module = GraphBuilder.Module(
            module.Graphs,
            metadata: [("min_runtime_version", new byte[16]), ("CONVERSION_METADATA", new byte[] { 1 }), ("labels", new byte[] { 2 }), ("nothing", ReadOnlyMemory<byte>.Empty)]);

        Assert.Equal("labels", Assert.Single(TfLiteFile.Read(TfLiteBackend.ToArray(module)).Metadata).Name);
    }

    [Fact]
    public void A_memory_plan_stays_as_long_as_it_fits()
    {
        // Tensors in another order than they appear in: the plan refers to the numbers of the file.
        ModelRecord model = TfLiteBackend.ToRecords(Convolution(), Portable);
        SubGraphRecord graph = model.Subgraphs[0];
        int last = graph.Tensors.Length - 1;
        SubGraphRecord reversed = graph with
        {
            Tensors = [.. graph.Tensors.Reverse()],
            Inputs = [.. graph.Inputs.Select(t => last - t)],
            Outputs = [.. graph.Outputs.Select(t => last - t)],
            Operators = [.. graph.Operators.Select(o => o with { Inputs = [.. o.Inputs.Select(t => last - t)], Outputs = [.. o.Outputs.Select(t => last - t)] })],
        };
        byte[] plan = [.. new[] { 0, 1, 5, 64, 0, -1, -1, 0 }.SelectMany(BitConverter.GetBytes)];
        ModelRecord planned = model with
        {
            Subgraphs = [reversed],
            Metadata = [new() { Name = TfLiteTensorFacts.MemoryPlan, Buffer = (uint)model.Buffers.Length }],
            Buffers = [.. model.Buffers, new() { Data = plan }],
        };
        Module module = FrontendSet.Read(TfLiteFile.ToArray(planned), "planned");

        ModelRecord kept = TfLiteFile.Read(TfLiteBackend.ToArray(module, Portable));

        Assert.Equal(plan, kept.Buffers[(int)Assert.Single(kept.Metadata).Buffer].Data.ToArray());
        Assert.Equal(reversed.Tensors.Select(t => t.Type), kept.Subgraphs[0].Tensors.Select(t => t.Type));
        Assert.Equal<int>(reversed.Operators[0].Inputs, kept.Subgraphs[0].Operators[0].Inputs);
        Assert.Equal<int>(reversed.Outputs, kept.Subgraphs[0].Outputs);

        // With a tensor that the plan does not know it means nothing.
        GraphBuilder builder = new("graph");
        Value x = builder.Input("x", new(DType.F32, [4]));
        builder.Output(builder.Add(new LeakyRelu(0.5f), [x], "y").Output);
        Module other = GraphBuilder.Module([builder.Build()], metadata: [(TfLiteTensorFacts.MemoryPlan, plan)]);
        Assert.Empty(TfLiteFile.Read(TfLiteBackend.ToArray(other)).Metadata);
    }

    private static byte[] Write(byte[] file, TfLiteWriteOptions options) => TfLiteBackend.ToArray(FrontendSet.Read(file, "file"), options);

    private static int OffsetOf(ReadOnlyMemory<byte> data)
    {
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(data, out ArraySegment<byte> segment));
        return segment.Offset;
    }

    private static void AssertSame(Module before, Module after, TfLiteTarget target)
    {
        Assert.Equal(before.Graphs.Length, after.Graphs.Length);
        Assert.Equal(before.Signatures.Select(s => s.Key), after.Signatures.Select(s => s.Key));
        foreach ((Graph left, Graph right) in before.Graphs.Zip(after.Graphs))
        {
            Assert.Equal(left.Nodes.Select(n => n.Op.Title), right.Nodes.Select(n => n.Op.Title));
            Assert.Equal(left.Inputs.Select(v => v.Name), right.Inputs.Select(v => v.Name));
            Value[] values = [.. left.Values()];
            Value[] others = [.. right.Values()];
            Assert.Equal(values.Length, others.Length);
            for (int i = 0; i < values.Length; i++)
            {
                AssertSame(values[i], others[i], target);
            }

            foreach ((Node node, Node other) in left.Nodes.Zip(right.Nodes))
            {
                Assert.Equal(node.Inputs.Select(v => v is null ? -1 : Array.IndexOf(values, v)), other.Inputs.Select(v => v is null ? -1 : Array.IndexOf(others, v)));
                Assert.Equal(node.Outputs.Select(v => Array.IndexOf(values, v)), other.Outputs.Select(v => Array.IndexOf(others, v)));
            }
        }
    }

    private static void AssertSame(Value before, Value after, TfLiteTarget target)
    {
        Assert.Equal(before.Type.DType, after.Type.DType);
        Assert.Equal(before.Type.Shape, after.Type.Shape);
        Assert.Equal(before.IsVariable, after.IsVariable);
        Assert.Equal(before.Constant is null, after.Constant is null);
        Assert.True(before.Constant is null || before.Constant.Bytes.Span.SequenceEqual(after.Constant!.Bytes.Span));
        bool isBias = before.Users.Any(n => n.Op is Conv2D or DepthwiseConv2D && n.Input(2) == before);
        if (target is TfLiteTarget.Micro && isBias)
        {
            return;
        }

        Assert.Equal(before.Type.Quant is null, after.Type.Quant is null);
        if (before.Type.Quant is { } quant)
        {
            Assert.Equal<float>(quant.Scales, after.Type.Quant!.Scales);
            Assert.Equal(Enumerable.Range(0, quant.Scales.Length).Select(quant.ZeroPointAt), Enumerable.Range(0, quant.Scales.Length).Select(after.Type.Quant.ZeroPointAt));
            Assert.True(!quant.IsPerAxis || quant.Axis == after.Type.Quant.Axis);
        }
    }

    /// <summary>A convolution with a scale for each of 3 channels, and a softmax behind it.</summary>
    private static Module Convolution()
    {
        GraphBuilder builder = new("graph");
        QuantParams grid = new(0.5f, 0);
        Value x = builder.Input("x", new(DType.I8, [1, 4, 4, 2], grid));
        ImmutableArray<float> scales = [0.25f, 0.5f, 0.75f];
        Value w = GraphBuilder.Constant(new(DType.I8, [3, 1, 1, 2], new byte[] { 1, 2, 3, 4, 5, 6 }), "conv/w", new(scales, [0, 0, 0]));
        Value b = GraphBuilder.Constant(new(DType.I32, [3], new byte[12]), "constants", new([.. scales.Select(s => s / 2)], [0, 0, 0]));
        Value y = builder.Add(new Conv2D(1, 1, PaddingMode.Valid), [x, w, b], "conv", grid).Output;
        builder.Output(builder.Add(new Softmax(), [y], "y", new QuantParams(1 / 256f, -128)).Output);
        return GraphBuilder.Module([builder.Build()]);
    }
}
