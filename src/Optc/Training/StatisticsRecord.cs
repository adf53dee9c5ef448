using System.Collections.Immutable;
using Optc.Formats;
using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>
/// Keeps mean and variance of batch normalization in the metadata of a model, so that a file can be trained on from where it is:
/// its factors and offsets alone do not tell them.
/// </summary>
/// <remarks>Entry <c>optc.batch_norm</c>: an <c>.npz</c> with <c>LAYER/mean</c> and <c>LAYER/variance</c>, f32 [C] each.</remarks>
internal static class StatisticsRecord
{
    private const string Entry = "optc.batch_norm";
    private const string Mean = "/mean";
    private const string Variance = "/variance";

    /// <summary>A module with these statistics in place of others; without the entry when there are none.</summary>
    public static Module Attach(Module module, ImmutableDictionary<string, ChannelStatistics> statistics)
    {
        IEnumerable<(string, ReadOnlyMemory<byte>)> others = module.Metadata.Where(m => m.Name != Entry);
        (string, NpyArray)[] arrays =
        [
            .. statistics.OrderBy(s => s.Key, StringComparer.Ordinal).SelectMany(s => new[]
            {
                (s.Key + Mean, NpyArray.Of(s.Value.Mean.AsSpan(), s.Value.Mean.Length)),
                (s.Key + Variance, NpyArray.Of(s.Value.Variance.AsSpan(), s.Value.Variance.Length)),
            }),
        ];
        return GraphBuilder.Module(
            module.Graphs,
            module.Signatures,
            arrays.Length == 0 ? [.. others] : [.. others, (Entry, NpzFile.Write(NpzCompression.Stored, arrays))],
            module.Description,
            module.Foreign);
    }

    /// <summary>The statistics that a module carries.</summary>
    /// <exception cref="DiagnosticException">The entry is damaged.</exception>
    public static ImmutableDictionary<string, ChannelStatistics> Read(Module module)
    {
        ReadOnlyMemory<byte> content = module.Metadata.FirstOrDefault(m => m.Name == Entry).Content;
        if (content.IsEmpty)
        {
            return [];
        }

        try
        {
            using NpzReader file = NpzReader.Open(content.ToArray());
            return file.Entries.Where(e => e.Name.EndsWith(Mean, StringComparison.Ordinal)).Select(e => e.Name[..^Mean.Length]).ToImmutableDictionary(
                layer => layer,
                layer => new ChannelStatistics([.. file.Read(layer + Mean).ToSingles()], [.. file.Read(layer + Variance).ToSingles()]));
        }
        catch (MalformedDataException damage)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.MalformedFile, "the statistics of batch normalization are damaged")
            {
                At = [$"metadata '{Entry}'", damage.Path],
                Found = damage.Found,
                Expected = damage.Expected,
            });
        }
    }
}
