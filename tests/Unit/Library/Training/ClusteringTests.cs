using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Training;
using Xunit;
using static Optc.Tests.Unit.Library.Training.SmallModels;

namespace Optc.Tests.Unit.Library.Training;

/// <summary>Codebooks beyond those of other toolkits: groups of channels, and prices of bits.</summary>
public class ClusteringTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(1000)]
    public void Channels_of_a_group_share_codes(int size)
    {
        Model model = Dense(12, 40, Normal);
        FitOptions how = Short with { Clustering = new(3) { Scope = CodebookScope.Group, GroupSize = size } };

        TensorData weight = Weights(model.Fit(Samples(model), how: how).Model)["dense/w"];

        // The largest group that divides 12 channels.
        int channels = size switch { 1 => 1, 4 or 5 => 4, _ => 12 };
        Codebook book = weight.Structure!.Codebook!;
        Assert.Equal(12 / channels, book.Groups);
        Assert.Empty(weight.Structure.Check(weight));
        Assert.InRange(WeightStructure.DistinctCodes(book, weight.Shape, weight.Structure.Codes(weight).AsSpan()), 2, 3);
    }

    [Theory]
    [InlineData(CodebookScope.Tensor)]
    [InlineData(CodebookScope.Group)]
    public void A_price_for_bits_makes_codes_less_even(CodebookScope scope)
    {
        Model model = Dense(16, 64, Normal);
        FitOptions how = Short with { Epochs = 6, Clustering = new(8) { Scope = scope } };

        double free = Entropy(Weights(model.Fit(Samples(model), how: how).Model)["dense/w"]);
        double priced = Entropy(Weights(model.Fit(Samples(model), how: how with { Clustering = how.Clustering with { BitPrice = 0.3 } }).Model)["dense/w"]);

        Assert.True(priced < free - 0.2, $"{priced} bits against {free}");
    }

    /// <summary>Prices that follow the stream of the target make that stream shorter, in training and without.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_price_may_be_that_of_a_coder(bool isTrained)
    {
        Model model = Dense(32, 96, Normal);
        Clustering how = new(16) { Coder = WeightCoders.EthosU };

        long free = Bits(Made(how));
        long priced = Bits(Made(how with { BitPrice = 0.1 }));

        Assert.True(priced < 0.9 * free, $"{priced} bits against {free}");

        Model Made(Clustering clustering) => isTrained
            ? model.Fit(Samples(model), how: Short with { Epochs = 6, Clustering = clustering }).Model
            : Model.Of(model.Cluster(clustering).Module);

        static long Bits(Model made) =>
            WeightCoders.EthosU.CountBits([.. Weights(made)["dense/w"] is var w ? w.Structure!.Codes(w).Select(c => (short)c) : []]);
    }

    private static double Entropy(TensorData weight)
    {
        long[] codes = [.. weight.Structure!.Codes(weight)];
        return codes.GroupBy(c => c).Sum(g => (double)g.Count() / codes.Length * -Math.Log2((double)g.Count() / codes.Length));
    }
}
