using System.Collections.Immutable;
using Optc.Formats.WeightCoding;
using Optc.Report.Compression;

namespace Optc.Optimize.Explore;

/// <summary>What counts as the size of a model when models are chosen by size.</summary>
/// <remarks>Sizes by different measures are never compared, and no figure is shown without the name of its measure.</remarks>
public sealed class SizeMeasure
{
    private readonly Func<Optimization, long> _count;

    private SizeMeasure(string name, string description, Func<Optimization, long> count) => (Name, Description, _count) = (name, description, count);

    /// <summary>The <c>.tflite</c> file as it is.</summary>
    public static SizeMeasure File { get; } = new("file", "the .tflite file", static made => made.File.Length);

    /// <summary>The file in a gzip archive, as an update over the air sends it.</summary>
    public static SizeMeasure GzipFile { get; } = new("file-gzip", "gzip of the .tflite file", static made => WeightCoders.Gzip.CountBytes(made.File.Span));

    /// <summary>The weights as the file stores them.</summary>
    public static SizeMeasure Payload { get; } = new("payload", "the weights as they are stored", static made => WeightTensor.Of(made.Result.Module).Sum(w => w.Bytes));

    /// <summary>Integer weights by each of <see cref="WeightCoders.All"/>, the weights as they are, the file, and its gzip.</summary>
    public static ImmutableArray<SizeMeasure> All { get; } = [.. WeightCoders.All.Select(Of), Payload, File, GzipFile];

    /// <summary>What options call it, such as <c>ethos-u</c>.</summary>
    public string Name { get; }

    /// <summary>What is counted, in a few words for reports.</summary>
    public string Description { get; }

    /// <summary>Integer weights by a coder, without the rest of the file.</summary>
    public static SizeMeasure Of(IWeightCoder coder) => new(coder.Name, $"weights by {coder.Name}", made => WeightCost.Of(
        coder,
        [.. WeightTensor.Of(made.Result.Module).Where(w => w.Codes is { Length: > 0 }).Select(w => (ReadOnlyMemory<short>)w.Codes)]).Bytes);

    /// <summary>The measure of this name, or <see langword="null"/>.</summary>
    public static SizeMeasure? Find(string name) => All.FirstOrDefault(m => m.Name == name);

    /// <summary>Bytes of what a recipe made.</summary>
    public long Count(Optimization made) => _count(made);
}
