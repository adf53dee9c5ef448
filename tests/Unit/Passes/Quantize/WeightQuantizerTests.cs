using Optc.Ir;
using Optc.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Passes.Quantize;

public sealed class WeightQuantizerTests
{
    private static readonly TensorData TwoRows = TensorData.FromFloats([2, 3], [1.27f, -1.27f, 0.005f, 12.7f, 6.4f, 0]);

    [Fact]
    public void Each_channel_has_its_largest_magnitude_at_127()
    {
        QuantizedWeights weights = WeightQuantizer.Quantize(TwoRows, axis: 0, perChannel: true);

        Assert.Equal([127, -127, 1, 127, 64, 0], weights.Data.Span<sbyte>().ToArray());
        Assert.Equal([1.27f / 127, 12.7f / 127], weights.Quant.Scales.ToArray());
        Assert.Equal([0L, 0L], weights.Quant.ZeroPoints.ToArray());
        Assert.Equal(0, weights.Quant.Axis);
    }

    [Fact]
    public void One_scale_serves_the_whole_tensor_where_asked()
    {
        QuantizedWeights weights = WeightQuantizer.Quantize(TwoRows, axis: 0, perChannel: false);

        Assert.Equal([13, -13, 0, 127, 64, 0], weights.Data.Span<sbyte>().ToArray());
        Assert.Equal([12.7f / 127], weights.Quant.Scales.ToArray());
    }

    [Fact]
    public void Depthwise_channels_run_along_the_last_axis()
    {
        TensorData data = TensorData.FromFloats([1, 2, 1, 2], [1, 20, -2, 10]);

        QuantizedWeights weights = WeightQuantizer.Quantize(data, axis: 3, perChannel: true);

        Assert.Equal([64, 127, -127, 64], weights.Data.Span<sbyte>().ToArray());
        Assert.Equal([2f / 127, 20f / 127], weights.Quant.Scales.ToArray());
        Assert.Equal(3, weights.Quant.Axis);
    }

    [Fact]
    public void A_channel_of_zeros_takes_the_scale_of_the_tensor()
    {
        QuantizedWeights weights = WeightQuantizer.Quantize(TensorData.FromFloats([2, 1], [0, 127]), axis: 0, perChannel: true);

        Assert.Equal([1f, 1f], weights.Quant.Scales.ToArray());
        Assert.Equal([0, 127], weights.Data.Span<sbyte>().ToArray());
    }

    [Fact]
    public void A_tensor_of_zeros_has_a_scale_of_one() =>
        Assert.Equal([1f], WeightQuantizer.Quantize(TensorData.FromFloats([2, 1], [0, 0]), axis: 0, perChannel: false).Quant.Scales.ToArray());

    [Fact]
    public void A_bias_too_large_for_its_type_widens_the_scale_of_its_channel_only()
    {
        double[] smallest = WeightQuantizer.SmallestScales([100, 0.5f], perChannel: true, inputScale: 0.01f, limit: 1000);

        QuantizedWeights weights = WeightQuantizer.Quantize(TensorData.FromFloats([2, 1], [1.27f, 12.7f]), 0, perChannel: true, smallest);

        Assert.Equal(1, weights.Widened);
        Assert.Equal(10, weights.Quant.Scales[0], 1e-5f);
        Assert.Equal(12.7f / 127, weights.Quant.Scales[1]);
        QuantizedWeights bias = WeightQuantizer.Bias(TensorData.FromFloats([2], [100, 0.5f]), DType.I32, 0.01f, weights.Quant)!;
        Assert.Equal([1000, 500], bias.Data.Span<int>().ToArray());
        Assert.Equal([0.01f * weights.Quant.Scales[0], 0.01f * weights.Quant.Scales[1]], bias.Quant.Scales.ToArray());
    }

    [Fact]
    public void A_bias_whose_scale_overflows_is_refused() =>
        Assert.Null(WeightQuantizer.Bias(TensorData.FromFloats([1], [1]), DType.I32, 1e30f, new(1e30f, 0)));

    [Fact]
    public void The_noise_of_a_uniform_grid_is_a_twelfth_of_a_squared_step()
    {
        const int Seed = 3;
        Random random = new(Seed);
        float[] values = [.. Enumerable.Range(0, 20000).Select(_ => (random.NextSingle() * 2) - 1)];
        QuantizedWeights weights = WeightQuantizer.Quantize(TensorData.FromFloats([values.Length], values), 0, perChannel: false);

        double sqnr = WeightQuantizer.Sqnr(values, AffineGrid.Dequantize(weights.Data, weights.Quant));

        // Power 1/3 over step^2/12 with 127 steps to 1.
        Assert.Equal(10 * Math.Log10(4.0 * 127 * 127), sqnr, 0.2);
    }
}
