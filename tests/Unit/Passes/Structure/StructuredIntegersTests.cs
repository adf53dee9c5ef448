using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes;
using Optc.Passes.Quantize;
using Optc.Tests.Unit.Ir;
using Optc.Tests.Unit.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Passes.Structure;

/// <summary>Clustered and sparse weights as integers: in every kind of layer the emitted codes are those of the structure.</summary>
public sealed class StructuredIntegersTests
{
    private const int Codes = 6;

    public static TheoryData<string> Layers => ["conv", "grouped", "depthwise", "dense", "transposed"];

    /// <summary>In spite of a scale for each channel, n clusters are n integers, and every zero of the mask is the integer 0.</summary>
    [Theory]
    [MemberData(nameof(Layers))]
    public void Weights_on_a_grid_are_stored_as_their_codes(string layer)
    {
        (Module module, TensorData weight) = Model(layer, normalized: false);

        TensorData stored = Stored(FloatModel.Quantize(module).Module);

        Assert.Equal(weight.Structure!.Codes(weight).Select(c => (sbyte)c), stored.Span<sbyte>().ToArray());
        Assert.Equal(weight.Structure.Mask, stored.Structure!.Mask);
        Assert.InRange(stored.Span<sbyte>().ToArray().Distinct().Count(), 2, Codes);
    }

    /// <summary>A batch normalization goes into the scales, not into the codes.</summary>
    [Theory]
    [MemberData(nameof(Layers))]
    public void Folded_normalization_keeps_the_codes(string layer)
    {
        (Module module, TensorData weight) = Model(layer, normalized: true);

        (Module result, QuantizationReport _) = FloatModel.Quantize(module);

        Assert.DoesNotContain(result.Main.Nodes, n => n.Op is Mul or Add);
        Assert.Equal(weight.Structure!.Codes(weight).Select(c => (sbyte)c), Stored(result).Span<sbyte>().ToArray());
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Folded_normalization_keeps_what_the_model_computes(string layer)
    {
        (Module module, TensorData _) = Model(layer, normalized: true);

        PassModel.Same(module, Pipelines.PrepareForQuantization.Run(module), 1e-5, layer);
    }

    /// <summary>Without a grid the codes of the tensor multiply, but each channel keeps its own.</summary>
    [Fact]
    public void A_float_codebook_stays_one_for_each_channel()
    {
        TensorData weight = PlantedWeight.Make(new(2), [4, 3, 3, 3], 0, grid: false, codes: Codes, masked: true);

        TensorData stored = Stored(FloatModel.Quantize(Model("conv", weight, normalized: true)).Module);

        Assert.Equal((Codes, 4, 0), (stored.Structure!.Codebook!.Codes, stored.Structure.Codebook.Groups, stored.Structure.Codebook.Axis));
        Assert.Empty(stored.Check());
        Assert.Equal(weight.Structure!.Mask!.Zeros, stored.Structure.Mask!.Zeros);
    }

    /// <summary>A channel of zeros, as pruning of channels leaves it.</summary>
    [Fact]
    public void A_channel_of_zeros_keeps_its_scale()
    {
        TensorData weight = TensorData.FromFloats([3, 2], [0.5f, -1, 0, 0, 4, 2]).With(new WeightStructure
        {
            Mask = new("channels", [true, true, false, false, true, true]),
            Codebook = new(4),
            Grid = new([0.5f, 0.25f, 2], 0),
        });

        QuantizedWeights stored = WeightQuantizer.OnGrid(weight);

        Assert.Equal([1, -2, 0, 0, 2, 1], stored.Data.Span<sbyte>().ToArray());
        Assert.Equal([0.5f, 0.25f, 2], stored.Quant.Scales.AsEnumerable());
        Assert.Equal([0L, 0, 0], stored.Quant.ZeroPoints.AsEnumerable());
        Assert.Equal(0, stored.Widened);
    }

    /// <summary>Where a bias needs a larger scale, the weights of its channel are nothing beside it: other codes would be wrong, zeros are not.</summary>
    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 4)]
    public void Channels_that_are_nothing_beside_their_bias_become_zeros(bool pinned, int codes)
    {
        TensorData weight = TensorData.FromFloats([2, 2], [1e-9f, -2e-9f, 3, 3]).With(new WeightStructure
        {
            Codebook = new(3, PinsZero: pinned),
            Grid = new([1e-9f, 3], 0),
        });

        QuantizedWeights stored = WeightQuantizer.OnGrid(weight, [1e-3, 1e-3]);

        Assert.Equal([0, 0, 1, 1], stored.Data.Span<sbyte>().ToArray());
        Assert.Equal([1e-3f, 3f], stored.Quant.Scales.AsEnumerable());
        Assert.Equal(1, stored.Widened);
        Assert.Equal(codes, stored.Data.Structure!.Codebook!.Codes);
        Assert.Empty(stored.Data.Check());
    }

    /// <summary>A layer with one scale cannot take the scales of a grid; what is left holds.</summary>
    [Fact]
    public void A_weight_that_must_leave_its_grid_keeps_zeros_and_the_codes_of_channels()
    {
        TensorData weight = PlantedWeight.Make(new(3), [5, 8], 0, grid: true, codes: Codes, masked: true);

        QuantizedWeights stored = WeightQuantizer.Quantize(weight, axis: 0, perChannel: false);

        Assert.False(WeightQuantizer.CanKeepGrid(weight, 0, perChannel: false));
        Assert.Equal((Codes, 5), (stored.Data.Structure!.Codebook!.Codes, stored.Data.Structure.Codebook.Groups));
        Assert.Empty(stored.Data.Check());
    }

    /// <summary>Values that training of 4 bits leaves are stored in bytes, codes -7 to 7.</summary>
    [Fact]
    public void A_grid_of_fewer_bits_keeps_its_codes()
    {
        TensorData weight = TensorData.FromFloats([2, 3], [0.7f, -0.1f, 0, 1.4f, 0.2f, -1.4f]).With(new WeightStructure { Grid = new([0.1f, 0.2f], 0, 4) });
        Assert.Empty(weight.Check());

        Assert.Equal([7, -1, 0, 7, 1, -7], WeightQuantizer.OnGrid(weight).Data.Span<sbyte>().ToArray());
    }

    /// <summary>Half precision in between costs no code.</summary>
    [Fact]
    public void Codes_survive_half_precision()
    {
        (Module module, TensorData weight) = Model("conv", normalized: false);
        Module half = Quantizer.Quantize(module, QuantizationRecipe.Float16 with { MinimumElements = 0 }).Module;
        Assert.Equal(DType.F16, PassModel.Find(half, "layer").Inputs[1]!.Producer!.Inputs[0]!.Type.DType);

        TensorData stored = Stored(FloatModel.Quantize(half).Module);

        Assert.Equal(weight.Structure!.Codes(weight).Select(c => (sbyte)c), stored.Span<sbyte>().ToArray());
    }

    private static TensorData Stored(Module module)
    {
        TensorData stored = PassModel.Find(module, "layer").Inputs[1]!.Constant!;
        Assert.Equal(DType.I8, stored.DType);
        return stored;
    }

    private static (Module Module, TensorData Weight) Model(string layer, bool normalized)
    {
        (Shape shape, int axis) = layer switch
        {
            "grouped" => (Shape.Of([4, 3, 3, 2]), 0),
            "depthwise" => (Shape.Of([1, 3, 3, 8]), 3),
            "dense" => (Shape.Of([4, 4]), 0),
            _ => (Shape.Of([4, 3, 3, 4]), 0),
        };
        TensorData weight = PlantedWeight.Make(new(11), shape, axis, grid: true, Codes, masked: true);
        return (Model(layer, weight, normalized), weight);
    }

    private static Module Model(string layer, TensorData weight, bool normalized)
    {
        PassModel model = new();
        int channels = layer is "depthwise" ? 8 : weight.Shape[0];
        Value w = GraphBuilder.Constant(weight, "w");
        Value x = model.Input("x", 1, 5, 5, layer is "conv" ? weight.Shape[3] : 4);
        Value y = layer switch
        {
            "depthwise" => model.Add("layer", new DepthwiseConv2D(1, 1, PaddingMode.Same, 2), x, w),
            "dense" => model.Add("layer", new FullyConnected(KeepNumDims: true), x, w),
            "transposed" => model.Add("layer", new TransposeConv(1, 1, PaddingMode.Same, FusedActivation.None), PassModel.Ints("s", 1, 5, 5, channels), w, x),
            _ => model.Add("layer", new Conv2D(1, 1, PaddingMode.Same), x, w),
        };
        if (normalized)
        {
            y = model.Add("scale", new Mul(), y, PassModel.Floats("gamma", [channels], [.. Enumerable.Range(1, channels).Select(c => 0.3f * c)]));
            y = model.Add("shift", new Add(), y, PassModel.Random("beta", 3, channels));
        }

        return model.Output(y).Build();
    }
}
