using System.Collections.Immutable;
using Optc.Formats.WeightCoding;
using Optc.Passes.Cluster;
using Optc.Passes.Prune;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>How many codebooks a weight has.</summary>
public enum CodebookScope
{
    /// <summary>One, whose codes all output channels share.</summary>
    Tensor,

    /// <summary>One for each output channel.</summary>
    Channel,

    /// <summary>One for so many output channels, see <see cref="Clustering.GroupSize"/>.</summary>
    Group,
}

/// <summary>How training makes weights share values: n codes for a tensor, trained with everything else.</summary>
/// <remarks>
/// By default the codes lie on the final integer grid and each output channel has a scale, so that n clusters are n codes in the
/// emitted bytes; zero is one of them and stays zero. Zeros of a mask stay zeros.
/// </remarks>
/// <param name="Codes">Codes of a weight, the zero included: 2 to 256.</param>
public sealed record Clustering(int Codes)
{
    /// <summary>Other numbers of codes for layers whose names match, the last that matches counts; 0 leaves a layer alone.</summary>
    public ImmutableArray<LayerCodes> Rules { get; init; } = [];

    public CodebookScope Scope { get; init; }

    /// <summary>Output channels that share a codebook, for <see cref="CodebookScope.Group"/>; where it does not divide the channels, the largest number below that does.</summary>
    public int GroupSize { get; init; } = 8;

    /// <summary>Depthwise weights are few and dear; they are clustered only if this says so.</summary>
    public bool Depthwise { get; init; }

    /// <summary>Part of the run after which weights are clustered, 0 to below 1.</summary>
    public double Begin { get; init; }

    /// <summary>Part of the run after which weights keep the code that they have; 1 for never.</summary>
    public double Freeze { get; init; } = 1;

    public CentroidInitializer Initializer { get; init; } = CentroidInitializer.Exact;

    /// <summary>
    /// Codes on the integer grid with a scale for each channel; without, real centroids without scales, as TensorFlow's
    /// Model Optimization Toolkit has them, which quantization to scales for each channel spreads to n codes a channel.
    /// </summary>
    public bool OnGrid { get; init; } = true;

    /// <summary>One code is zero for good. Without, zeros are kept where a mask or a pruned weight asks for it.</summary>
    public bool PinsZero { get; init; } = true;

    /// <summary>Gradients of codes are averaged over their members instead of summed; adaptive optimizers make no difference of it.</summary>
    public bool AveragesGradients { get; init; }

    /// <summary>
    /// Price of a bit of code length, in units of the squared deviation of a weight of mean square 1: 0.03 is about 3 bits a weight, 0.1 about
    /// 2, 0.25 about 1.5; 0 takes the nearest code.
    /// </summary>
    public double BitPrice { get; init; }

    /// <summary>What says how long codes are, where bits have a price: while training, and where codes are found without.</summary>
    public IWeightCoder Coder { get; init; } = WeightCoders.OrderZero;

    /// <summary>Learning rate of weights of mean square 1, as a multiple of that which suits weights of convolutions.</summary>
    internal const float UnitRate = 10;

    /// <summary>Learning rates of latent weights, codes and logarithms of scales, as multiples of that of the run.</summary>
    public float LatentRate { get; init; } = UnitRate;

    public float CodebookRate { get; init; } = 3;

    public float ScaleRate { get; init; } = 1.5f;

    /// <summary>As few codes for each layer as an error permits.</summary>
    /// <param name="model">Whose weights are measured as they are.</param>
    /// <param name="relativeError">Squared error as part of the squared weights of a tensor, above 0 and below 1.</param>
    public static Clustering ForError(Model model, double relativeError) => Chosen(
        model, weights => [.. weights.Select(w => CodebookBudget.ForError(w, relativeError))]);

    /// <summary>Codes for each layer with the least error within a mean number of bits.</summary>
    /// <param name="model">Whose weights are measured as they are.</param>
    /// <param name="bitsPerWeight">Mean bits of all weights that are clustered, above 1.</param>
    /// <param name="coder">What the bits are asked of; when left out the entropy.</param>
    public static Clustering ForBits(Model model, double bitsPerWeight, IWeightCoder? coder = null) =>
        Chosen(model, weights => CodebookBudget.ForBits(weights, bitsPerWeight, coder));

    private static Clustering Chosen(Model model, Func<IReadOnlyList<float[]>, ImmutableArray<int>> choose)
    {
        PrunableWeight[] weights = [.. PrunableWeight.Of(model.Module.Main).Where(w => w.WhyFixed is null && w.Role is not WeightRole.Embedding)];
        ImmutableArray<int> codes = choose([.. weights.Select(w => w.Values.ToArray())]);
        return new(codes.IsEmpty ? 2 : codes.Max())
        {
            Rules = [.. weights.Zip(codes).Select(p => new LayerCodes($"^{System.Text.RegularExpressions.Regex.Escape(p.First.Layer)}$", p.Second))],
            Depthwise = true,
        };
    }

    /// <summary>Codebooks of a weight with so many output channels.</summary>
    internal int GroupsFor(int channels)
    {
        if (Scope is not CodebookScope.Group)
        {
            return Scope is CodebookScope.Channel ? channels : 1;
        }

        int size = Math.Min(GroupSize, channels);
        while (channels % size != 0)
        {
            size--;
        }

        return channels / size;
    }

    /// <summary>Codes for a layer with so many weights; 0 for none. Few weights get no more than a quarter of their number.</summary>
    internal int CodesOf(TrainedVariable variable)
    {
        int codes = Rules.LastOrDefault(r => r.Matches(variable.Layer))?.Codes ?? Codes;
        return codes == 0 ? 0 : (int)Math.Min(codes, Math.Max(2, variable.Shape.ElementCount / 4));
    }
}

/// <summary>The number of codes of the layers whose names match.</summary>
/// <param name="Pattern">Regular expression that is looked for anywhere in the name of a layer.</param>
/// <param name="Codes">2 to 256, or 0 for none.</param>
public sealed record LayerCodes(string Pattern, int Codes)
{
    private readonly LayerRate _pattern = new(Pattern, 1);

    public bool Matches(string layer) => _pattern.Matches(layer);
}
