using System.Collections.Immutable;
using Optc.Architectures;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Prune;
using Xunit;

namespace Optc.Tests.Unit.Passes.Prune;

/// <summary>A model without channels computes what it does with these channels masked.</summary>
public class RemoveChannelsTests
{
    private const double Tolerance = 2e-5;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    public static TheoryData<string, double, bool> Architectures => new()
    {
        { "ds-cnn-s", 1, true },
        { "ds-cnn-s", 1, false },
        { "resnet-8", 1, true },
        { "resnet-8", 1, false },
        { "mobilenet-v1", 0.25, true },
        { "mobilenet-v2", 0.25, true },
        { "mlp", 0.25, true },
        { "autoencoder", 0.5, true },
    };

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Architectures_shrink_to_what_the_masked_model_computes(string name, double width, bool normalised)
    {
        Shape? input = name is "mobilenet-v1" or "mobilenet-v2" ? [32, 32, 3] : null;
        Module module = Randomized(Architecture.Find(name).Build(new() { Input = input, Width = width, BatchNormalization = normalised }));
        ChannelGroups groups = ChannelGroups.Of(module.Main);
        foreach (ChannelChoice choice in new ChannelChoice[] { new(0.5), new(0.3) { Global = true } })
        {
            ImmutableArray<PlannedChannels> plan = choice.Choose(groups);
            Module shrunk = Compare(module, groups, plan.SelectMany(p => p.Removed), name);
            Assert.All(plan.Where(p => p.Reason is null && !choice.Global), p => Assert.Equal(p.Group.Channels.Length / 2, p.Removed.Length));
            Assert.True(Numbers(shrunk) < Numbers(module) * (1 - (choice.Fraction / 2)), $"{Numbers(shrunk)} of {Numbers(module)}");
        }

        // Only what the outputs are made of is fixed.
        Assert.All(groups.All, g => Assert.Equal(g.Makers.Any(m => m.Name.StartsWith("head", StringComparison.Ordinal) || m.Name == "output/dense"), g.WhyFixed is not null));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_graphs_shrink_to_what_the_masked_model_computes(int seed)
    {
        foreach (Module module in new[] { RandomGraph.Make(seed), ShrinkableGraph.Make(seed) })
        {
            ChannelGroups groups = ChannelGroups.Of(module.Main);
            Random random = new(seed);
            TiedChannel[] removed =
            [
                .. groups.All.Where(g => g.WhyFixed is null).SelectMany(g => g.Channels.Skip(1).Where(_ => random.Next(2) == 0)),
            ];
            Compare(module, groups, removed, $"seed {seed}");
        }
    }

    /// <summary>The random graphs are worth something only if there is something to be removed in them.</summary>
    [Fact]
    public void Most_groups_of_the_random_graphs_are_free()
    {
        ChannelGroup[] all = [.. Enumerable.Range(1, 60).SelectMany(seed => ChannelGroups.Of(ShrinkableGraph.Make(seed).Main).All)];
        Assert.True(all.Count(g => g.WhyFixed is null) > 200, $"{all.Count(g => g.WhyFixed is null)} of {all.Length}");
    }

    [Fact]
    public void Residual_sums_tie_the_layers_of_a_stage()
    {
        ChannelGroups groups = ChannelGroups.Of(Architecture.Find("resnet-8").Build().Main);
        Assert.Equal(
            ["stem/conv block1/conv2", "block1/conv1", "block2/conv1", "block2/conv2 block2/shortcut", "block3/conv1", "block3/conv2 block3/shortcut", "head/dense"],
            groups.All.Select(g => string.Join(' ', g.Makers.Select(m => m.Name))));
        Assert.Equal([16, 16, 32, 32, 64, 64, 10], groups.All.Select(g => g.Channels.Length));
    }

    [Fact]
    public void Concatenated_channels_keep_their_places()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 4, 4, 2);
        Value a = model.Add("a", new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), x, PassModel.Random("aw", 1, 3, 1, 1, 2));
        Value b = model.Add("b", new Conv2D(1, 1, PaddingMode.Same), x, PassModel.Random("bw", 2, 5, 3, 3, 2), PassModel.Random("bb", 3, 5));
        Value joined = model.Add("joined", new Concatenation(-1), a, x, b);
        Value y = model.Add("y", new Conv2D(1, 1, PaddingMode.Same), joined, PassModel.Random("yw", 4, 4, 1, 1, 10));
        Module module = model.Output(y).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);
        Assert.Equal([3, 5, 4], groups.All.Select(g => g.Channels.Length));

        Module shrunk = Compare(module, groups, [groups.Find("a").Channels[1], groups.Find("b").Channels[0], groups.Find("b").Channels[4]], "concat");
        Assert.Equal("yw: f32[4, 1, 1, 7]", PassModel.Find(shrunk, "y").Inputs[1]!.ToString());
        float[] before = PassModel.Find(module, "y").Inputs[1]!.Constant!.AsFloats().ToArray();
        Assert.Equal(
            new[] { 0, 2, 3, 4, 6, 7, 8 }.Select(i => before[i]),
            PassModel.Find(shrunk, "y").Inputs[1]!.Constant!.AsFloats()[..7].ToArray());
        Assert.Equal("'y' is an output of the model", groups.All[2].WhyFixed);
    }

    [Fact]
    public void A_sum_over_a_concatenation_splits_the_layer_behind_it_in_two_groups()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 4, 4, 2);
        Value Layer(string name, int outputs) => model.Add(name, new Conv2D(1, 1, PaddingMode.Same), x, PassModel.Random($"{name}w", outputs, outputs, 1, 1, 2));
        Value sum = model.Add("sum", new Add(FusedActivation.Relu), model.Add("joined", new Concatenation(3), Layer("a", 2), Layer("b", 3)), Layer("c", 5));
        Module module = model.Output(model.Add("y", new Conv2D(1, 1, PaddingMode.Same), sum, PassModel.Random("yw", 4, 4, 1, 1, 5))).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);

        Assert.Equal(["a c", "b c"], groups.All.Where(g => g.WhyFixed is null).Select(g => string.Join(' ', g.Makers.Select(m => m.Name))));
        Module shrunk = Compare(module, groups, [groups.Find("b").Channels[1]], "sum");
        Assert.Equal(4, PassModel.Find(shrunk, "c").Output.Type.Shape[3]);
    }

    [Fact]
    public void Flattened_channels_leave_columns_of_the_dense_layer()
    {
        PassModel model = new();
        Value x = model.Add("conv", new Conv2D(1, 1, PaddingMode.Valid), model.Input("x", 1, 4, 3, 2), PassModel.Random("w", 1, 3, 2, 2, 2));
        Value flat = model.Add("flat", new Reshape([1, 18]), x, PassModel.Ints("shape", 1, 18));
        Value hidden = model.Add("hidden", new FullyConnected(FusedActivation.Relu), flat, PassModel.Random("hw", 2, 7, 18));
        Value direct = model.Add("direct", new FullyConnected(), x, PassModel.Random("dw", 3, 7, 18));
        Value y = model.Add("y", new FullyConnected(), model.Add("sum", new Add(), hidden, direct), PassModel.Random("yw", 4, 2, 7));
        Module module = model.Output(y).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);

        Module shrunk = Compare(module, groups, [groups.Find("conv").Channels[1], groups.Find("hidden").Channels[3]], "flat");
        Assert.Equal("hw: f32[6, 12]", PassModel.Find(shrunk, "hidden").Inputs[1]!.ToString());
        Assert.Equal([1, 12], ((Reshape)PassModel.Find(shrunk, "flat").Op).NewShape.AsEnumerable());
        Assert.Equal([1, 12], PassModel.Find(shrunk, "flat").Inputs[1]!.Constant!.AsInts());
    }

    [Fact]
    public void Filters_of_a_depthwise_layer_go_with_the_channel_they_read()
    {
        PassModel model = new();
        Value x = model.Add("conv", new Conv2D(1, 1, PaddingMode.Same), model.Input("x", 1, 4, 3, 2), PassModel.Random("w", 1, 3, 2, 2, 2));
        Value y = model.Add(
            "depthwise", new DepthwiseConv2D(1, 1, PaddingMode.Same, 2, FusedActivation.Relu6), x, PassModel.Random("dw", 2, 1, 3, 3, 6), PassModel.Random("db", 3, 6));
        Module module = model.Output(model.Add("y", new Conv2D(1, 1, PaddingMode.Same), y, PassModel.Random("yw", 4, 2, 1, 1, 6))).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);
        Module shrunk = Compare(module, groups, [groups.Find("conv").Channels[1]], "depthwise");

        float[] bias = PassModel.Find(module, "depthwise").Inputs[2]!.Constant!.AsFloats().ToArray();
        Assert.Equal([bias[0], bias[1], bias[4], bias[5]], PassModel.Find(shrunk, "depthwise").Inputs[2]!.Constant!.AsFloats().ToArray());
        Assert.Equal(2, ((DepthwiseConv2D)PassModel.Find(shrunk, "depthwise").Op).DepthMultiplier);
    }

    [Fact]
    public void A_gate_goes_with_the_channel_it_opens_though_it_is_not_zero()
    {
        PassModel model = new();
        Value x = model.Add("conv", new Conv2D(1, 1, PaddingMode.Same), model.Input("x", 1, 4, 3, 2), PassModel.Random("w", 1, 6, 2, 2, 2));
        Value mean = model.Add("mean", new Mean(KeepDims: true), x, PassModel.Ints("axes", 1, 2));
        Value squeezed = model.Add("squeeze", new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), mean, PassModel.Random("sw", 2, 3, 1, 1, 6));
        Value gate = model.Add("gate", new Logistic(), model.Add("excite", new Conv2D(1, 1, PaddingMode.Same), squeezed, PassModel.Random("ew", 3, 6, 1, 1, 3)));
        Value y = model.Add("y", new Conv2D(1, 1, PaddingMode.Same), model.Add("scaled", new Mul(), x, gate), PassModel.Random("yw", 4, 2, 1, 1, 6));
        Module module = model.Output(y).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);

        Assert.Equal(["conv", "excite"], groups.Find("excite").Makers.Select(m => m.Name));
        Module shrunk = Compare(module, groups, [groups.Find("conv").Channels[1], groups.Find("squeeze").Channels[2]], "gate");
        Assert.Equal([1, 1, 1, 5], PassModel.Find(shrunk, "gate").Output.Type.Shape.Dims.AsEnumerable());
    }

    [Fact]
    public void Borders_of_zeros_shrink_with_the_channels_they_are_added_to()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 4, 3, 2);
        Value a = model.Add("a", new Conv2D(1, 1, PaddingMode.Same), x, PassModel.Random("aw", 1, 3, 2, 2, 2));
        Value wide = model.Add("wide", new Pad(), a, PassModel.Paddings("p", 0, 0, 0, 0, 0, 0, 1, 2));
        Value b = model.Add("b", new Conv2D(1, 1, PaddingMode.Same), x, PassModel.Random("bw", 2, 6, 1, 1, 2));
        Value y = model.Add("y", new Conv2D(1, 1, PaddingMode.Same), model.Add("sum", new Add(), wide, b), PassModel.Random("yw", 4, 2, 1, 1, 6));
        Module module = model.Output(y).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);
        ChannelGroup alone = Assert.Single(groups.All, g => g.WhyFixed is null && g.Makers is [{ Name: "b" }]);
        Assert.Equal(3, alone.Channels.Length);

        Module shrunk = Compare(module, groups, [.. alone.Channels.Skip(1), groups.Find("a").Channels[0]], "pad");
        Assert.Equal([0, 0, 0, 0, 0, 0, 1, 0], PassModel.Find(shrunk, "wide").Inputs[1]!.Constant!.AsInts());
    }

    [Fact]
    public void The_shape_that_a_transposed_convolution_states_shrinks_too()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 4, 3, 2);
        Value up = model.Add("up", new TransposeConv(2, 2, PaddingMode.Same, FusedActivation.Relu), PassModel.Ints("s", 1, 8, 6, 5), PassModel.Random("w", 1, 5, 3, 3, 2), x);
        Module module = model.Output(model.Add("y", new Conv2D(2, 2, PaddingMode.Same), up, PassModel.Random("yw", 4, 2, 1, 1, 5))).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);
        Module shrunk = Compare(module, groups, [groups.Find("up").Channels[0], groups.Find("up").Channels[3]], "up");
        Assert.Equal([1, 8, 6, 3], PassModel.Find(shrunk, "up").Inputs[0]!.Constant!.AsInts());
    }

    [Fact]
    public void Integer_models_shrink_to_the_same_bits()
    {
        PassModel model = new();
        QuantParams grid = new(0.05f, 3);
        Value x = model.Input("x", new TensorType(DType.I8, [1, 5, 4, 3], grid));
        QuantParams perChannel = new([0.01f, 0.02f, 0.03f, 0.04f], [0, 0, 0, 0], 0);
        sbyte[] w = [.. Enumerable.Range(0, 4 * 9 * 3).Select(i => (sbyte)((i * 37 % 255) - 127))];
        Value weights = GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [4, 3, 3, 3], w), "w", perChannel);
        Value bias = GraphBuilder.Constant(TensorData.FromInts([4], [100, -200, 300, -400]), "b", new([0.0005f, 0.001f, 0.0015f, 0.002f], [0, 0, 0, 0], 0));
        Value a = model.AddQuantized("a", new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), new(0.1f, -5), x, weights, bias);
        Value y = model.AddQuantized("y", new Conv2D(1, 1, PaddingMode.Same), grid, a, PassModel.Bytes("yw", 2, 0.02f, 2, 1, 1, 4));
        Module module = model.Output(y).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);
        TiedChannel[] removed = [groups.Find("a").Channels[1], groups.Find("a").Channels[2]];

        Module shrunk = RemoveChannels.Apply(module, groups, removed);
        PassModel.SameInterface(module, shrunk);
        Module masked = RemoveChannels.Mask(module, groups, removed);
        PassModel.Same(masked, shrunk, tolerance: 0, "int8");
        Assert.Equal([1, 2], ChannelMasks.Idle(ChannelGroups.Of(masked.Main)).Select(c => c.Makers[0].Output));
        Assert.Equal([0.01f, 0.04f], PassModel.Find(shrunk, "a").Inputs[1]!.Type.Quant!.Scales.AsEnumerable());
    }

    [Fact]
    public void What_holds_of_weights_holds_of_what_is_left_of_them()
    {
        float[] codes = [0, 2, 1, 0, 0, 3, 0, -1, 2, 0, 0, 1];
        float[] scales = [0.5f, 0.25f, 2];
        WeightStructure structure = new()
        {
            Mask = new("2:4", [.. codes.Select(c => c != 0)]),
            Codebook = new(4, Groups: 3),
            Grid = new([.. scales], Axis: 0),
        };
        TensorData weights = TensorData.FromFloats([3, 1, 1, 4], [.. codes.Select((c, i) => c * scales[i / 4])]).With(structure);
        PassModel model = new();
        Value x = model.Add("a", new Conv2D(1, 1, PaddingMode.Same), model.Input("x", 1, 2, 2, 2), PassModel.Random("aw", 1, 4, 1, 1, 2));
        x = model.Add("b", new Conv2D(1, 1, PaddingMode.Same), x, GraphBuilder.Constant(weights, "bw"));
        Module module = model.Output(model.Add("y", new Conv2D(1, 1, PaddingMode.Same), x, PassModel.Random("yw", 2, 2, 1, 1, 3))).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);

        WeightStructure rows = Left("b", 1);
        Assert.Equal("2:4", rows.Mask!.Pattern);
        Assert.Equal([false, true, true, false, true, false, false, true], rows.Mask.Kept.AsEnumerable());
        Assert.Equal(new Codebook(4, Groups: 2), rows.Codebook);
        Assert.Equal([0.5f, 2], rows.Grid!.Scales.AsEnumerable());

        WeightStructure columns = Left("a", 2);
        Assert.Equal("elements", columns.Mask!.Pattern);
        Assert.Equal([false, true, false, false, true, true, true, false, true], columns.Mask.Kept.AsEnumerable());
        Assert.Equal((new Codebook(4, Groups: 3), 3), (columns.Codebook, columns.Grid!.Scales.Length));

        WeightStructure Left(string layer, int channel)
        {
            Module shrunk = Compare(module, groups, [groups.Find(layer).Channels[channel]], layer);
            return PassModel.Find(shrunk, "b").Inputs[1]!.Constant!.Structure!;
        }
    }

    [Fact]
    public void What_cannot_be_removed_says_why()
    {
        Assert.Equal("'y' is an output of the model", Reason((model, x) => x));
        Assert.Contains("softmax", Reason((model, x) => model.Add("act", new Softmax(), x)), StringComparison.Ordinal);
        Assert.Contains("not 0", Reason((model, x) => Read(model, model.Add("act", new Logistic(), x))), StringComparison.Ordinal);
        Assert.Contains("not 0", Reason((model, x) => Read(model, model.Add("act", new Add(), x, PassModel.Floats("c", [], 1)))), StringComparison.Ordinal);
        Assert.Contains("groups", Reason((model, x) => model.Add("grouped", new Conv2D(1, 1, PaddingMode.Same), x, PassModel.Random("gw", 1, 2, 1, 1, 2))), StringComparison.Ordinal);
        Assert.Contains("reduces all channels", Reason((model, x) => model.Add("mean", new Mean(KeepDims: false), x, PassModel.Ints("axes", 3))), StringComparison.Ordinal);
        Assert.Contains("mixes channels", Reason((model, x) => model.Add("mixed", new Reshape([1, 4, 4, 2, 2]), x)), StringComparison.Ordinal);
        Assert.Contains("keeps all channels", Reason((model, x) => Read(model, model.Add("sum", new Add(), x, model.Input("z", 1, 4, 4, 4)))), StringComparison.Ordinal);
        Assert.Contains("some of the channels", Reason((model, x) => model.Add("part", new Slice(), x, PassModel.Ints("b", 0, 0, 0, 1), PassModel.Ints("s", 1, 4, 4, 2))), StringComparison.Ordinal);
        Assert.Null(Reason((model, x) => Read(model, model.Add("act", new Add(), x, PassModel.Random("c", 1, 1, 1, 1, 4)))));
        Assert.Null(Reason((model, x) => Read(model, model.Add("act", new Maximum(), x, PassModel.Floats("c", [], -1)))));

        static Value Read(PassModel model, Value x) => model.Add("read", new Conv2D(1, 1, PaddingMode.Same), x, PassModel.Random("rw", 1, 2, 1, 1, 4));
        static string? Reason(Func<PassModel, Value, Value> rest)
        {
            PassModel model = new();
            Value y = model.Add("y", new Conv2D(1, 1, PaddingMode.Same), model.Input("x", 1, 4, 4, 3), PassModel.Random("w", 1, 4, 1, 1, 3));
            Module module = model.Output(rest(model, y)).Build();
            return ChannelGroups.Of(module.Main).All[0].WhyFixed;
        }
    }

    [Fact]
    public void Weights_that_two_layers_share_shrink_for_both_or_not_at_all()
    {
        PassModel model = new();
        Value w = PassModel.Random("w", 1, 4, 1, 1, 3);
        Value x = model.Input("x", 1, 4, 4, 3);
        Value a = model.Add("a", new Conv2D(1, 1, PaddingMode.Same), x, w);
        Value b = model.Add("b", new Conv2D(2, 2, PaddingMode.Same), x, w);
        Value v = PassModel.Random("v", 2, 2, 1, 1, 4);
        Module module = model.Output(model.Add("c", new Conv2D(1, 1, PaddingMode.Same), a, v), model.Add("d", new Conv2D(1, 1, PaddingMode.Same), b, v)).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);
        Module shrunk = Compare(module, groups, [groups.Find("a").Channels[2]], "shared");
        Assert.Same(PassModel.Find(shrunk, "a").Inputs[1], PassModel.Find(shrunk, "b").Inputs[1]);

        model = new();
        x = model.Input("x", 1, 4, 4, 3);
        w = PassModel.Random("w", 1, 4, 1, 1, 3);
        a = model.Add("a", new Conv2D(1, 1, PaddingMode.Same), x, w);
        v = PassModel.Random("v", 2, 2, 1, 1, 4);
        module = model.Output(model.Add("c", new Conv2D(1, 1, PaddingMode.Same), a, v), model.Add("also", new Neg(), w)).Build();
        Assert.Equal("'w' is read by another node too", ChannelGroups.Of(module.Main).All[0].WhyFixed);
    }

    /// <summary>What masking made zero is found again, and its removal changes nothing.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Channels_that_are_zero_are_found_and_go_without_a_trace(int seed)
    {
        Module module = ShrinkableGraph.Make(seed);
        ChannelGroups groups = ChannelGroups.Of(module.Main);
        Random random = new(seed);
        TiedChannel[] chosen =
        [
            .. groups.All.Where(g => g.WhyFixed is null).SelectMany(g => g.Channels.Skip(1).Where(_ => random.Next(3) == 0)),
        ];
        Assert.Empty(ChannelMasks.Idle(groups));
        Module masked = RemoveChannels.Mask(module, groups, chosen);
        foreach ((Value value, bool[] mask) in ChannelMasks.Of(groups, chosen))
        {
            Node node = value.Users[0];
            float[] numbers = PassModel.Find(masked, node.Name).Inputs[node.Inputs.IndexOf(value)]!.Constant!.AsFloats().ToArray();
            Assert.Equal(value.Constant!.AsFloats().ToArray().Zip(mask, (w, k) => k ? w : 0), numbers);
        }

        ChannelGroups after = ChannelGroups.Of(masked.Main);
        ImmutableArray<TiedChannel> idle = ChannelMasks.Idle(after);
        Assert.Equal(chosen.Select(c => c.Root).Order(), idle.Select(c => c.Root).Order());
        Module shrunk = RemoveChannels.Apply(masked, after, idle);
        PassModel.SameInterface(masked, shrunk);
        PassModel.Same(masked, shrunk, Tolerance, $"seed {seed}");
    }

    [Fact]
    public void Channels_that_nobody_reads_are_idle_and_one_is_left_where_all_are()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 3, 3, 2);
        Value a = model.Add("a", new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), x, PassModel.Random("aw", 1, 4, 1, 1, 2), PassModel.Random("ab", 2, 4));
        Value b = model.Add("b", new Conv2D(1, 1, PaddingMode.Same), a, PassModel.Floats("bw", [2, 1, 1, 4], 1, 0, 2, 0, 3, 0, -0f, 4));
        Value c = model.Add("c", new Conv2D(1, 1, PaddingMode.Same), b, PassModel.Floats("cw", [1, 1, 1, 2], 0, 0));
        Module module = model.Output(c).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);

        Assert.Equal([("a", 1), ("b", 1)], ChannelMasks.Idle(groups).Select(i => (i.Makers[0].Node.Name, i.Makers[0].Output)));
        PassModel.Same(module, RemoveChannels.Apply(module, groups, ChannelMasks.Idle(groups)), Tolerance, "idle");
    }

    [Fact]
    public void No_layer_loses_all_channels()
    {
        Module module = Architecture.Find("ds-cnn-s").Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);
        Assert.Throws<DiagnosticException>(() => RemoveChannels.Apply(module, groups, groups.All[0].Channels));
        Assert.Throws<DiagnosticException>(() => RemoveChannels.Apply(module, groups, [groups.All[^1].Channels[0]]));
        Assert.Throws<DiagnosticException>(() => groups.Find("head/dense"));
        Assert.Throws<DiagnosticException>(() => groups.Find("nothing"));
        Assert.Throws<ArgumentException>(() => RemoveChannels.Apply(module.Clone(), groups, []));
    }

    [Fact]
    public void The_channels_of_the_smallest_weights_go_in_multiples()
    {
        PassModel model = new();
        Value x = model.Add("conv", new Conv2D(1, 1, PaddingMode.Same), model.Input("x", 1, 2, 2, 1), PassModel.Floats("w", [6, 1, 1, 1], 6, -1, 5, 2, -4, 3));
        x = model.Add("scale", new Mul(), x, PassModel.Floats("s", [6], 1, 1, 1, 9, 1, -0.1f));
        Value next = model.Add("next", new Conv2D(1, 1, PaddingMode.Same), x, PassModel.Random("v", 1, 4, 1, 1, 6));
        Module module = model.Output(model.Add("y", new Conv2D(1, 1, PaddingMode.Same), next, PassModel.Random("yw", 2, 2, 1, 1, 4))).Build();
        ChannelGroups groups = ChannelGroups.Of(module.Main);

        Assert.Equal([1, 5], Removed(new(1 / 3.0), "conv"));
        Assert.Equal([1, 5], Removed(new(0.5) { Multiple = 4 }, "conv"));
        Assert.Equal(3, Removed(new(0.9), "next").Length);
        Assert.Equal(4 + 1, Removed(new(0.5) { Global = true }, "conv").Length + Removed(new(0.5) { Global = true }, "next").Length);
        Assert.Empty(Removed(new(0.5) { Except = "conv" }, "conv"));
        Assert.Contains("left out by choice", new ChannelChoice(0.5) { Except = "conv" }.Choose(groups)[0].Reason, StringComparison.Ordinal);
        Assert.Throws<DiagnosticException>(() => new ChannelChoice(0.5) { Only = "nothing" }.Choose(groups));
        Assert.Throws<DiagnosticException>(() => new ChannelChoice(1).Choose(groups));

        int[] Removed(ChannelChoice choice, string layer) =>
            [.. choice.Choose(groups).Single(p => p.Group.Name == layer).Removed.Select(c => c.Makers[0].Output)];
    }

    private static Module Compare(Module module, ChannelGroups groups, IEnumerable<TiedChannel> removed, string what)
    {
        TiedChannel[] channels = [.. removed];
        Module masked = RemoveChannels.Mask(module, groups, channels);
        Module shrunk = RemoveChannels.Apply(module, groups, channels);
        PassModel.SameInterface(module, shrunk);
        PassModel.Same(masked, shrunk, Tolerance, what);
        return shrunk;
    }

    private static long Numbers(Module module) => module.Main.Values().Where(v => v.Constant is not null).Sum(v => v.Type.ElementCount);

    /// <summary>Every float constant with other numbers than zeros and ones.</summary>
    private static Module Randomized(Module module)
    {
        Random random = new(3);
        Module copy = module.Clone();
        foreach (Node node in copy.Main.Nodes.ToArray())
        {
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                if (node.Inputs[i] is { Constant.DType: DType.F32 } value)
                {
                    int fan = Math.Max(1, (int)(value.Type.ElementCount / value.Type.Shape[0]));
                    float scale = value.Type.Shape.Rank > 1 ? MathF.Sqrt(6f / fan) : 1;
                    GraphPatch patch = new();
                    patch.SetInput(node, i, PassModel.Floats(value.Name, value.Type.Shape, PassModel.Numbers(random, (int)value.Type.ElementCount, scale)));
                    patch.ApplyTo(copy, copy.Main, node);
                }
            }
        }

        return copy;
    }
}
