using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Tests.Benchmarks;

/// <summary>Writes an architecture with its weights, and a batch, for <c>PyTorch/exported.py</c>.</summary>
internal static class PyTorchExport
{
    private const float Epsilon = 1e-3f;

    /// <exception cref="NotSupportedException">The model has an operator that the script does not know.</exception>
    public static void Write(string folder, Module model, float[] x, int[] labels, double rate)
    {
        Graph graph = model.Main;
        using Utf8JsonWriter json = new(File.Create(Path.Combine(folder, "graph.json")));
        json.WriteStartObject();
        json.WriteString("input", graph.Inputs[0].Name);
        json.WriteString("output", graph.Outputs[0].Producer!.Inputs[0]!.Name);
        json.WriteNumber("rate", rate);
        json.WriteStartArray("nodes");
        foreach (Node node in graph.Nodes.Where(n => n.Op is not Softmax))
        {
            WriteNode(json, folder, node);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        Save(folder, "x", "<f4", graph.Inputs[0].Type.Shape.With(0, labels.Length), MemoryMarshal.AsBytes<float>(x));
        Save(folder, "labels", "<i4", [labels.Length], MemoryMarshal.AsBytes<int>(labels));
    }

    /// <summary>Adds a tensor to the folder.</summary>
    public static void WriteTensor(string folder, string name, TensorData content) =>
        Save(folder, name.Replace('/', '.'), "<f4", content.Shape, content.Bytes.Span);

    private static void WriteNode(Utf8JsonWriter json, string folder, Node node)
    {
        json.WriteStartObject();
        json.WriteStartArray("inputs");
        foreach (Value input in node.Inputs.OfType<Value>().Where(v => v.Constant is null))
        {
            json.WriteStringValue(input.Name);
        }

        json.WriteEndArray();
        json.WriteString("output", node.Outputs[0].Name);
        switch (node.Op)
        {
            case Conv2D { Activation: FusedActivation.None } conv:
                WriteConvolution(json, folder, node, "conv", (conv.StrideH, conv.StrideW));
                break;
            case DepthwiseConv2D { Activation: FusedActivation.None } conv:
                WriteConvolution(json, folder, node, "depthwise", (conv.StrideH, conv.StrideW));
                break;
            case FullyConnected:
                json.WriteString("op", "dense");
                json.WriteString("name", node.Name);
                json.WriteString("w", Save(folder, node.Inputs[1]!));
                json.WriteString("bias", Save(folder, node.Inputs[2]!));
                break;
            case Mul when node.Inputs[1]!.Constant is { } scale:
                json.WriteString("op", "norm");
                json.WriteString("name", node.Name[..^"/bn_scale".Length]);
                json.WriteNumber("channels", scale.Shape[0]);
                json.WriteNumber("epsilon", Epsilon);
                break;
            case Add { Activation: var activation }:
                json.WriteString("op", node.Inputs[1]!.Constant is null ? "add" : "flatten");
                json.WriteString("activation", activation.ToString());
                break;
            case AveragePool2D:
                json.WriteString("op", "mean");
                break;
            case Reshape:
                json.WriteString("op", "flatten");
                break;
            default:
                throw new NotSupportedException(node.ToString());
        }

        json.WriteEndObject();
    }

    private static void WriteConvolution(Utf8JsonWriter json, string folder, Node node, string kind, (int H, int W) stride)
    {
        Shape x = node.Inputs[0]!.Type.Shape;
        Shape w = node.Inputs[1]!.Type.Shape;
        Shape y = node.Outputs[0].Type.Shape;
        json.WriteString("op", kind);
        json.WriteString("name", node.Name);
        json.WriteString("w", Save(folder, node.Inputs[1]!));
        if (node.Inputs.ElementAtOrDefault(2) is { } bias)
        {
            json.WriteString("bias", Save(folder, bias));
        }

        json.WriteNumber("depth", x[3]);
        json.WriteStartArray("stride");
        json.WriteNumberValue(stride.H);
        json.WriteNumberValue(stride.W);
        json.WriteEndArray();
        json.WriteStartArray("pads");
        foreach ((int size, int kernel, int step, int result) in new[] { (x[1], w[1], stride.H, y[1]), (x[2], w[2], stride.W, y[2]) })
        {
            int total = Math.Max(0, ((result - 1) * step) + kernel - size);
            json.WriteNumberValue(total / 2);
            json.WriteNumberValue(total - (total / 2));
        }

        json.WriteEndArray();
    }

    private static string Save(string folder, Value constant)
    {
        string name = constant.Name.Replace('/', '.');
        TensorData content = constant.Constant!.ToDense();
        Save(folder, name, "<f4", content.Shape, content.Bytes.Span);
        return name;
    }

    private static void Save(string folder, string name, string type, Shape shape, ReadOnlySpan<byte> content)
    {
        string dims = string.Concat(shape.Select(d => d.ToString(CultureInfo.InvariantCulture) + ","));
        string header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({dims}), }}";
        header = header.PadRight(((header.Length + 10 + 64) / 64 * 64) - 11) + "\n";
        using FileStream file = File.Create(Path.Combine(folder, name + ".npy"));
        file.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)(header.Length & 255), (byte)(header.Length >> 8), .. Encoding.ASCII.GetBytes(header)]);
        file.Write(content);
    }
}
