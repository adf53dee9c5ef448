using static Optc.Report.ReportText;

namespace Optc.Report;

/// <summary>Prints an <see cref="Inspection"/> as tables.</summary>
public static class InspectionText
{
    private const int ShortList = 20;

    /// <param name="all">Print every weight, however many there are, and all that is known of each.</param>
    public static ReportText Of(Inspection inspection, bool all = false) => new(
    [
        .. new[]
        {
            Model(inspection),
            Interfaces(inspection),
            ReportTable.Of(
                "graphs", inspection.Graphs, all ? int.MaxValue : ShortList,
                ("name", false, g => g.Name),
                ("operators", true, g => Integer(g.Operators)),
                ("tensors", true, g => Integer(g.Tensors)),
                ("macs", true, g => Integer(g.Macs))),
            ReportTable.Of(
                "operators", inspection.Operators, int.MaxValue,
                ("op", false, o => o.Op),
                ("type", false, o => o.Type),
                ("count", true, o => Integer(o.Count)),
                ("versions", true, o => string.Join(", ", o.Versions.Select(v => Integer(v)))),
                ("macs", true, o => Integer(o.Macs)),
                ("macsPercent", true, o => Decimal(o.MacsPercent, 1)),
                ("executable", false, o => o.Executable ? "yes" : "no")),
            ReportTable.Of(
                "uses", [.. inspection.Size.Uses.Where(u => u.Bytes > 0)], int.MaxValue,
                ("use", false, u => u.Use),
                ("bytes", true, u => Integer(u.Bytes)),
                ("percent", true, u => Decimal(u.Percent, 1))),
            Sizes(inspection),
            Savings(inspection),
            Weights(inspection, all),
            Coded(inspection, all),
        }.Where(t => !t.Rows.IsEmpty),
    ]);

    private static ReportTable Model(Inspection inspection)
    {
        List<(string Name, string Value)> facts =
        [
            ("description", inspection.Description),
            ("minimumRuntime", inspection.MinimumRuntime ?? ""),
            ("bytes", Integer(inspection.Size.Bytes)),
            ("parameters", Integer(inspection.Parameters)),
            ("macs", Integer(inspection.Macs)),
            ("arenaBytes", $"{Integer(inspection.Memory.ArenaBytes)} (TFLite Micro, estimated)"),
            ("peakActivations", Integer(inspection.Memory.PeakActivations)),
            ("peakLayer", inspection.Memory.PeakLayer ?? ""),
        ];
        return ReportTable.Of(
            "model", [.. facts.Where(f => f.Value.Length > 0)], int.MaxValue,
            ("name", false, f => f.Name),
            ("value", false, f => f.Value));
    }

    /// <summary>The signatures; the ends of the main graph when there are none.</summary>
    private static ReportTable Interfaces(Inspection inspection)
    {
        GraphEntry main = inspection.Graphs[0];
        IEnumerable<SignatureEntry> entries = inspection.Signatures.IsEmpty
            ? [new("", main.Name, main.Inputs, main.Outputs)]
            : inspection.Signatures;
        List<(string Key, string End, TensorEntry Tensor)> rows =
        [
            .. entries.SelectMany(s => s.Inputs.Select(t => (s.Key, "input", t)).Concat(s.Outputs.Select(t => (s.Key, "output", t)))),
        ];
        return ReportTable.Of(
            "signatures", rows, int.MaxValue,
            ("key", false, r => r.Key),
            ("end", false, r => r.End),
            ("name", false, r => r.Tensor.Name),
            ("type", false, r => r.Tensor.Type),
            ("shape", false, r => Dims(r.Tensor.Shape)),
            ("quantization", false, r => r.Tensor.Quantization?.ToString() ?? ""));
    }

    /// <summary>Sizes that are never to be mixed up, each with its name.</summary>
    private static ReportTable Sizes(Inspection inspection)
    {
        ModelSizes sizes = inspection.Sizes;
        List<(string Size, long Bytes, double? Bits)> rows =
        [
            ("file", sizes.FileBytes, null),
            ("file by gzip", sizes.FileGzipBytes, null),
            ("weights as stored", sizes.WeightBytes, sizes.Weights == 0 ? 0 : 8.0 * sizes.WeightBytes / sizes.Weights),
            .. sizes.Coded.Select(c => ($"weights by {c.Coder}", c.Bytes, (double?)c.BitsPerWeight)),
        ];
        if (!sizes.Coded.IsEmpty && sizes.UncodedBytes > 0)
        {
            rows.Add(("weights not coded", sizes.UncodedBytes, null));
        }

        return ReportTable.Of(
            "sizes", rows, int.MaxValue,
            ("size", false, r => r.Size),
            ("bytes", true, r => Integer(r.Bytes)),
            ("bitsPerWeight", true, r => r.Bits is { } bits ? Decimal(bits, 2) : ""));
    }

    private static ReportTable Savings(Inspection inspection) => ReportTable.Of(
        "savings",
        inspection.Savings is { } savings ? new (string, long)[]
        {
            ("container", savings.ContainerBytes),
            ("channels and operators", savings.GraphBytes),
            ("file after 'optc shrink'", savings.FileBytes),
        } : [],
        int.MaxValue,
        ("by", false, r => r.Item1),
        ("bytes", true, r => Integer(r.Item2)));

    /// <summary>Bytes of each tensor stored alone; with fewer columns than the weights have, since names are long.</summary>
    private static ReportTable Coded(Inspection inspection, bool all) => ReportTable.Of<WeightEntry>(
        "coded", [.. inspection.Weights.Where(w => !w.Coded.IsEmpty)], all ? int.MaxValue : ShortList,
    [
        ("name", false, w => w.Name),
        ("weights", true, w => Integer(w.Elements)),
        .. ModelSizes.Coders.SelectMany(coder => new (string, bool, Func<WeightEntry, string>)[]
        {
            (coder.Name, true, w => Integer(w.Coded.Single(c => c.Coder == coder.Name).Bytes)),
            ("bits", true, w => Decimal(w.Coded.Single(c => c.Coder == coder.Name).BitsPerWeight, 2)),
        }),
    ]);

    private static ReportTable Weights(Inspection inspection, bool all) => ReportTable.Of<WeightEntry>(
        "weights", inspection.Weights, all ? int.MaxValue : ShortList,
    [
        ("name", false, w => w.Name),
        .. Only(all, ("layer", false, w => w.Layer)),
        ("op", false, w => w.Op),
        .. Only(all, ("operand", false, w => w.Operand)),
        ("type", false, w => w.Type),
        ("shape", false, w => Dims(w.Shape)),
        ("bytes", true, w => Integer(w.Bytes)),
        ("zeroPercent", true, w => Decimal(w.ZeroPercent, 1)),
        ("distinct", true, w => Integer(w.Distinct)),
        ("distinctPerChannel", true, w => Integer(w.DistinctPerChannel)),
        ("entropy", true, w => Decimal(w.Entropy, 2)),
        ("idealBytes", true, w => Integer(w.IdealBytes)),
        ("structure", false, w => w.Structure),
        .. Only(all, ("quantization", false, w => w.Quantization?.ToString() ?? "")),
    ]);

    private static (string Name, bool IsNumber, Func<WeightEntry, string> Cell)[] Only(
        bool shown, (string Name, bool IsNumber, Func<WeightEntry, string> Cell) column) => shown ? [column] : [];
}
