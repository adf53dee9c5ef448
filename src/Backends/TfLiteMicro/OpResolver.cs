using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Backends.TfLiteMicro;

/// <summary>The registration lines that a TFLite Micro program needs for a model.</summary>
/// <param name="Methods">Methods of <c>MicroMutableOpResolver</c>, one for each distinct operator, in order of first use.</param>
/// <param name="Missing">Operators that TFLite Micro has no kernel for, or that it does not know by name.</param>
public sealed record OpResolver(ImmutableArray<string> Methods, ImmutableArray<string> Missing)
{
    // Method names without "Add". Source: micro_mutable_op_resolver.h of TFLite Micro, as stored in 2025.
    private static readonly FrozenDictionary<string, string> Builtin = FrozenSet.Create(
        "Abs", "Add", "AddN", "ArgMax", "ArgMin", "AssignVariable", "AveragePool2D", "BatchMatMul", "BatchToSpaceNd",
        "BroadcastArgs", "BroadcastTo", "CallOnce", "Cast", "Ceil", "Concatenation", "Conv2D", "Cos", "CumSum", "DepthToSpace",
        "DepthwiseConv2D", "Dequantize", "Div", "DynamicUpdateSlice", "Elu", "EmbeddingLookup", "Equal", "Exp", "ExpandDims",
        "Fill", "Floor", "FloorDiv", "FloorMod", "FullyConnected", "Gather", "GatherNd", "Greater", "GreaterEqual", "HardSwish",
        "If", "L2Normalization", "L2Pool2D", "LeakyRelu", "Less", "LessEqual", "Log", "LogSoftmax", "LogicalAnd", "LogicalNot",
        "LogicalOr", "Logistic", "MaxPool2D", "Maximum", "Mean", "Minimum", "MirrorPad", "Mul", "Neg", "NotEqual", "Pack", "Pad",
        "PadV2", "Prelu", "Quantize", "ReadVariable", "ReduceAll", "ReduceMax", "ReduceMin", "Relu", "Relu6", "Reshape",
        "ResizeBilinear", "ResizeNearestNeighbor", "ReverseV2", "Round", "Rsqrt", "SelectV2", "Shape", "Sin", "Slice", "Softmax",
        "SpaceToBatchNd", "SpaceToDepth", "Split", "SplitV", "Sqrt", "Square", "SquaredDifference", "Squeeze", "StridedSlice",
        "Sub", "Sum", "Svdf", "Tanh", "Transpose", "TransposeConv", "UnidirectionalSequenceLSTM", "Unpack", "VarHandle", "While",
        "ZerosLike").ToFrozenDictionary(n => n, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, string> Custom = new Dictionary<string, string>
    {
        ["CIRCULAR_BUFFER"] = "CircularBuffer",
        ["SignalDelay"] = "Delay",
        ["SignalEnergy"] = "Energy",
        ["SignalFftAutoScale"] = "FftAutoScale",
        ["SignalFilterBank"] = "FilterBank",
        ["SignalFilterBankLog"] = "FilterBankLog",
        ["SignalFilterBankSpectralSubtraction"] = "FilterBankSpectralSubtraction",
        ["SignalFilterBankSquareRoot"] = "FilterBankSquareRoot",
        ["SignalFramer"] = "Framer",
        ["SignalIrfft"] = "Irfft",
        ["SignalOverlapAdd"] = "OverlapAdd",
        ["SignalPCAN"] = "PCAN",
        ["SignalRfft"] = "Rfft",
        ["SignalStacker"] = "Stacker",
        ["SignalWindow"] = "Window",
        ["TFLM_DECODE"] = "Decode",
        ["TFLite_Detection_PostProcess"] = "DetectionPostprocess",
        ["ethos-u"] = "EthosU",
    }.ToFrozenDictionary();

    /// <summary>The registrations of every operator in every graph of a module.</summary>
    public static OpResolver Of(Module module)
    {
        List<string> methods = [];
        List<string> missing = [];
        foreach (Node node in module.Graphs.SelectMany(g => g.Nodes))
        {
            (string name, string? method) = Lookup(node.Op);
            List<string> list = method is null ? missing : methods;
            string entry = method is null ? name : $"Add{method}";
            if (!list.Contains(entry))
            {
                list.Add(entry);
            }
        }

        return new([.. methods], [.. missing]);
    }

    /// <summary>C++ lines to paste: the resolver with its registrations, and the arena.</summary>
    /// <param name="arena">Size of the arena in bytes.</param>
    public string ToCode(long arena)
    {
        StringBuilder code = new();
        foreach (string operation in Missing)
        {
            code.Append(CultureInfo.InvariantCulture, $"// TFLite Micro has no kernel for {operation}.\n");
        }

        code.Append(CultureInfo.InvariantCulture, $"constexpr int kTensorArenaSize = {arena};\n");
        code.Append("alignas(16) static uint8_t tensor_arena[kTensorArenaSize];\n\n");
        code.Append(CultureInfo.InvariantCulture, $"static tflite::MicroMutableOpResolver<{Math.Max(1, Methods.Length)}> resolver;\n");
        foreach (string method in Methods)
        {
            code.Append(CultureInfo.InvariantCulture, $"resolver.{method}();\n");
        }

        return code.ToString();
    }

    private static (string Name, string? Method) Lookup(IOp op)
    {
        if (op is OpaqueTfLite { CustomName.Length: > 0 } custom)
        {
            return (custom.CustomName, Custom.GetValueOrDefault(custom.CustomName));
        }

        string name = op is OpaqueTfLite opaque ? opaque.Code.ToString() : OpSet.Find(op.Schema.Name)?.TfLiteCode?.ToString() ?? op.Title;
        return (name, Builtin.GetValueOrDefault(name));
    }
}
