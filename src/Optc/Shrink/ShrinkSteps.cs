using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Bounds;
using Optc.Passes.Shrink;

namespace Optc.Shrink;

/// <summary>Says in words what was removed.</summary>
internal static class ShrinkSteps
{
    private static readonly ImmutableArray<(string Rule, string Reason)> Channels =
    [
        ("unread", "nothing that is kept reads it, or all of it multiplies it by zero"),
        ("dead", "it is always at the zero point, so that its products are zero"),
        ("fold", "it always has one value; its products are in the bias"),
        ("fold-padded", "it always has one value, and taps that can fall outside of the image are zero; its products are in the bias"),
        ("duplicate", "it always equals another one, whose weights are the sum of both"),
    ];

    public static ImmutableArray<ShrinkStep> Of(Graph original, Graph result, ShrinkRecord record, long containerBytes) =>
    [
        .. record.Removed.Select(r => Removed(original, r)),
        .. record.Operators.SelectMany(o => Changed(original, o)),
        .. record.Operators.SelectMany((o, i) => Narrowed(original.Nodes[o.Original], result.Nodes[i], o.Original, record)),
        .. record.Biases.GroupBy(b => b.Original).Select(g => new ShrinkStep(
            "fold", original.Nodes[g.Key].Name, "bias entries changed", g.Count(), 0, "sums of constants that went")),
        new("container", string.Empty, "file written anew", 1, containerBytes, "names of inner tensors, ranges, copies of equal tables: no runtime computes with them"),
    ];

    private static ShrinkStep Removed(Graph original, RemovedOperator removed)
    {
        Node node = original.Nodes[removed.Original];
        return new(removed.Rule, node.Name, $"{node.Op.Schema.Name} removed", 1, 0, removed.Rule switch
        {
            "reshape" => "its readers take the elements as they are",
            "quantize" => "type, scale and zero point are there already",
            "dequantize-quantize" => "each of the 256 codes comes back",
            "pad-fused" => "SAME pads the same elements, and padding counts as the zero point",
            "merged" => "the next one does its work too",
            _ => "nobody reads its result",
        });
    }

    private static IEnumerable<ShrinkStep> Changed(Graph original, KeptOperator kept) => kept.Changes.Where(c => c is not "pad-fused").Select(change =>
        new ShrinkStep(change, original.Nodes[kept.Original].Name, change switch
        {
            "activation-dropped" => "fused activation removed",
            "reshape-input-dropped" => "constant shape removed",
            _ => "operator changed",
        }, 1, 0, change switch
        {
            "activation-dropped" => "its limits are those of the type",
            "reshape-input-dropped" => "the options say the same shape",
            _ => "it computes the same",
        }));

    private static IEnumerable<ShrinkStep> Narrowed(Node before, Node after, int number, ShrinkRecord record)
    {
        long bytes = ConstantBytes(before) - ConstantBytes(after);
        NarrowedValue? made = before.Op is ISumsProducts ? record.Channels.FirstOrDefault(c => c.Value == FormattableString.Invariant($"op{number}:0")) : null;
        if (made is null)
        {
            if (bytes > 0)
            {
                yield return new("channels", before.Name, "slices of what it reads removed", 0, bytes, "they belong to channels that went");
            }

            yield break;
        }

        foreach ((string rule, string reason) in Channels)
        {
            int count = made.Dropped.Count(d => d.Rule == rule);
            if (count > 0)
            {
                yield return new(rule, before.Name, FormattableString.Invariant($"of {made.Count} channels removed"), count, bytes, reason);
                bytes = 0;
            }
        }
    }

    private static long ConstantBytes(Node node) => node.Inputs.Sum(v => v?.Constant?.Bytes.Length ?? 0L);
}
