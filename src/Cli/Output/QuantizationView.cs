using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Optc.Cli.CommandLine;
using Optc.Ir;
using Optc.Passes.Quantize;

namespace Optc.Cli.Output;

/// <summary>What quantization did, as a table and as JSON.</summary>
internal sealed class QuantizationView
{
    private readonly string _input;
    private readonly QuantizationReport _report;

    public QuantizationView(string input, long bytesBefore, string output, Model quantized, AccuracyDrop? accuracy)
    {
        (_input, BytesBefore, Output, Accuracy) = (input, bytesBefore, output, accuracy);
        _report = quantized.Quantization!;
        BytesAfter = quantized.FileLength;
    }

    public string Output { get; }

    public long BytesBefore { get; }

    /// <summary>Of the <c>.tflite</c> file, whatever form is written.</summary>
    public long BytesAfter { get; }

    public AccuracyDrop? Accuracy { get; }

    private double Percent => 100.0 * BytesAfter / BytesBefore;

    public void Print(Terminal terminal, ImmutableArray<Diagnostic> errors)
    {
        terminal.WriteJson(writer => Write(writer, errors));
        Grid layers = new("layer", "op", "status", "activations", ">weights", ">sqnr", "reason");
        foreach (LayerReport layer in _report.Layers)
        {
            ConstantReport? weights = Weights(layer);
            layers.Add(
                layer.Name,
                layer.Op,
                StatusOf(layer.Status),
                layer.Status is LayerStatus.Untouched ? "" : layer.Activations.Name,
                weights is null ? "" : Describe(weights),
                weights is null || double.IsInfinity(weights.Sqnr) ? "" : weights.Sqnr.ToString("F1", CultureInfo.InvariantCulture),
                layer.Reason ?? "");
        }

        layers.PrintTo(terminal);
        terminal.WriteText("\n" + Summary());
        if (_report.Layers.All(l => l.Status is LayerStatus.Untouched))
        {
            terminal.Note("nothing was quantized: the model has no float layers");
        }
        else if (_report.Layers.All(l => l.Status is LayerStatus.Float or LayerStatus.Untouched))
        {
            terminal.Note("nothing was quantized; the column 'reason' says why");
        }
    }

    private string Summary()
    {
        IEnumerable<string> counts = Enum.GetValues<LayerStatus>()
            .Select(s => (Status: s, Count: _report.WithStatus(s).Count()))
            .Where(s => s.Count > 0)
            .Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Count} {StatusOf(s.Status)}"));
        List<string> lines =
        [
            $"layers    {string.Join(", ", counts)}; {_report.Conversions} conversions inserted",
            string.Create(CultureInfo.InvariantCulture, $"size      {ByteSize.Show(BytesBefore)} -> {ByteSize.Show(BytesAfter)} ({Percent:F1} %)"),
        ];
        if (Accuracy is not null)
        {
            lines.Add($"accuracy  {Accuracy}");
        }

        return string.Join("\n", lines) + "\n";
    }

    private void Write(Utf8JsonWriter writer, ImmutableArray<Diagnostic> errors)
    {
        writer.WriteStartObject();
        writer.WriteString("input", _input);
        writer.WriteString("output", Output);
        writer.WriteBoolean("written", errors.IsEmpty);
        writer.WriteString("recipe", _report.Recipe);
        writer.WriteNumber("bytesBefore", BytesBefore);
        writer.WriteNumber("bytesAfter", BytesAfter);
        writer.WriteBoolean("integer", _report.IsInteger);
        writer.WriteNumber("conversions", _report.Conversions);
        if (Accuracy is { } accuracy)
        {
            writer.WriteNumber("accuracyBefore", accuracy.Before.Value);
            writer.WriteNumber("accuracyAfter", accuracy.After.Value);
            writer.WriteNumber("dropPoints", accuracy.Points);
            writer.WriteNumber("testSamples", accuracy.After.Samples);
        }

        writer.WriteStartArray("layers");
        foreach (LayerReport layer in _report.Layers)
        {
            Write(writer, layer);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("activations");
        foreach (ActivationReport activation in _report.Activations)
        {
            writer.WriteStartObject();
            writer.WriteString("name", activation.Name);
            writer.WriteString("type", activation.Type.Name);
            writer.WriteNumber("low", activation.Low);
            writer.WriteNumber("high", activation.High);
            writer.WriteNumber("scale", activation.Quant.Scale);
            writer.WriteNumber("zeroPoint", activation.Quant.ZeroPoint);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        DiagnosticJson.WriteErrors(writer, errors);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, LayerReport layer)
    {
        writer.WriteStartObject();
        writer.WriteString("layer", layer.Name);
        writer.WriteString("op", layer.Op);
        writer.WriteString("status", StatusOf(layer.Status));
        writer.WriteString("reason", layer.Reason);
        writer.WriteString("activations", layer.Activations.Name);
        writer.WriteStartArray("constants");
        foreach (ConstantReport constant in layer.Constants)
        {
            writer.WriteStartObject();
            writer.WriteString("name", constant.Name);
            writer.WriteString("operand", constant.Operand);
            writer.WriteString("type", constant.Type.Name);
            if (constant.Quant is { } quant)
            {
                writer.WriteNumber("scales", quant.Scales.Length);
            }
            else
            {
                writer.WriteNull("scales");
            }

            if (double.IsFinite(constant.Sqnr))
            {
                writer.WriteNumber("sqnr", constant.Sqnr);
            }
            else
            {
                writer.WriteString("sqnr", "Infinity");
            }

            writer.WriteNumber("widenedScales", constant.WidenedScales);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static ConstantReport? Weights(LayerReport layer) => layer.Constants.MinBy(c => c.Sqnr);

    private static string Describe(ConstantReport weights) => weights.Quant switch
    {
        null => weights.Type.Name,
        { IsPerAxis: true } quant => string.Create(CultureInfo.InvariantCulture, $"{weights.Type.Name} x{quant.Scales.Length}"),
        _ => weights.Type.Name,
    };

    private static string StatusOf(LayerStatus status) => status switch
    {
        LayerStatus.Quantized => "quantized",
        LayerStatus.WeightsOnly => "weights-only",
        LayerStatus.Float => "float",
        LayerStatus.Untouched => "untouched",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
