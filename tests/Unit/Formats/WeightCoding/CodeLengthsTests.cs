using Optc.Formats.EthosU;
using Optc.Formats.WeightCoding;
using Optc.Tests.Unit.Formats.EthosU;
using Xunit;

namespace Optc.Tests.Unit.Formats.WeightCoding;

public sealed class CodeLengthsTests
{
    [Fact]
    public void Lengths_of_order_0_add_up_to_the_entropy()
    {
        for (int seed = 1; seed < 60; seed++)
        {
            short[] weights = RandomWeights.Make(seed, 3000);

            CodeLengths lengths = ((IWeightCoder)WeightCoders.OrderZero).EstimateLengths(weights);

            Assert.Equal(OrderZeroCoder.Entropy(weights) * weights.Length, lengths.Sum(weights) - lengths.Fixed, 1e-6 * weights.Length);
            Assert.InRange(((IWeightCoder)WeightCoders.OrderZero).CountBits(weights) - lengths.Sum(weights), -0.01, 8);
        }
    }

    /// <summary>Weights of one distribution make one section: what is left are header, palette, filling and changes of the divisor.</summary>
    [Theory]
    [InlineData(WeightCodecMode.Compatible, 0.03)]
    [InlineData(WeightCodecMode.Smallest, 0.1)]
    public void Lengths_of_a_stream_add_up_to_its_own(WeightCodecMode mode, double tolerance)
    {
        IWeightCoder coder = mode == WeightCodecMode.Compatible ? WeightCoders.EthosU : WeightCoders.EthosUSmallest;
        for (int seed = 0; seed < 24; seed++)
        {
            Random random = new(seed);
            double sparsity = seed % 3 == 0 ? 0 : random.NextDouble();
            short[] codes = [.. Enumerable.Range(0, random.Next(2, 30)).Select(_ => (short)random.Next(-100, 101))];
            short[] weights = [.. Enumerable.Range(0, 8000).Select(_ => random.NextDouble() < sparsity ? (short)0 : codes[(int)(codes.Length * Math.Pow(random.NextDouble(), 2))])];

            double sum = coder.EstimateLengths(weights).Sum(weights);

            double actual = coder.CountBits(weights);
            Assert.InRange(sum, (1 - tolerance) * (actual - 200), (1 + tolerance) * actual);
        }
    }

    [Fact]
    public void A_frequent_code_is_shorter_than_a_rare_one_and_a_new_one_dearest()
    {
        short[] weights = [.. Enumerable.Repeat((short)3, 900), .. Enumerable.Repeat((short)-7, 90), .. Enumerable.Repeat((short)50, 10)];
        foreach (IWeightCoder coder in WeightCoders.All)
        {
            CodeLengths lengths = coder.EstimateLengths(weights);

            Assert.True(lengths[3] <= lengths[-7] && lengths[-7] <= lengths[50] && lengths[50] <= lengths[120], coder.Name);
        }
    }

    [Fact]
    public void Zeros_in_runs_cost_less_than_a_bit()
    {
        Random random = new(2);
        short[] weights = [.. Enumerable.Range(0, 5000).Select(_ => random.Next(20) == 0 ? (short)random.Next(1, 4) : (short)0)];

        CodeLengths lengths = WeightCoders.EthosU.EstimateLengths(weights);

        Assert.InRange(lengths[0], 0.05, 0.5);
        Assert.True(lengths[1] > 3);
    }

    [Fact]
    public void Codes_that_no_coder_holds_are_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ((IWeightCoder)WeightCoders.Gzip).EstimateLengths([256]));
}
