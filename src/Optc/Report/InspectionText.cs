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
            Weights(inspection, all),
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
