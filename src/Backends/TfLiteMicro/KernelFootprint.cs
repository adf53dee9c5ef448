using Optc.Ir;
using Optc.Ops;

namespace Optc.Backends.TfLiteMicro;

/// <summary>Memory that the reference kernels of TFLite Micro ask for beside their operands.</summary>
/// <remarks>
/// Source: the <c>Prepare</c> functions of the kernels (<c>conv_common.cc</c>, <c>transpose_conv.cc</c>,
/// <c>svdf_common.cc</c>, <c>unidirectional_sequence_lstm.cc</c>, <c>reduce_common.cc</c>, <c>softmax_common.cc</c>),
/// commit 90b983c2.
/// </remarks>
internal static class KernelFootprint
{
    private const int WordBytes = sizeof(int);

    /// <summary>Data of a kernel that stays allocated: its parameters, per-channel multipliers, lookup tables.</summary>
    public static long PersistentBytes(Node node) => node.Op switch
    {
        // One multiplier and one shift for each output channel.
        Conv2D or DepthwiseConv2D or TransposeConv => 64 + (2L * Rounded(Channels(node.Outputs[0]) * WordBytes)),
        FullyConnected when node.Inputs[1]?.Type.Quant is { IsPerAxis: true } => 2L * Rounded(Channels(node.Outputs[0]) * WordBytes),
        UnidirectionalSequenceLstm => 464,

        // Two tables of 513 entries of 16 bits.
        Softmax when node.Outputs[0].Type.DType is DType.I16 => 2 * Rounded(513 * sizeof(short)),
        _ => 0,
    };

    /// <summary>Buffers that live while the node runs.</summary>
    public static IEnumerable<long> ScratchBytes(Node node)
    {
        switch (node.Op)
        {
            case TransposeConv when node.Outputs[0].Type.DType is DType.I8:
                yield return ArenaEstimate.SizeOf(node.Outputs[0].Type) * sizeof(int);
                break;
            case TransposeConv when node.Outputs[0].Type.DType is DType.I16:
                yield return ArenaEstimate.SizeOf(node.Outputs[0].Type) / sizeof(short) * sizeof(long);
                break;
            case Svdf when node.Inputs is [{ } x, { } feature, ..]:
                int batch = Math.Max(1, x.Type.Shape[0]);
                yield return (long)batch * feature.Type.Shape[0] * sizeof(int);
                yield return (long)batch * feature.Type.Shape[0] * sizeof(int);
                break;
            case UnidirectionalSequenceLstm when node.Input(18) is { } hidden:
                for (int i = 0; i < 4; i++)
                {
                    yield return Math.Max(2, ArenaEstimate.SizeOf(hidden.Type with { DType = hidden.Type.DType is DType.F32 ? DType.F32 : DType.I16 }));
                }

                break;
            case Mean or Sum:
                yield return ArenaEstimate.SizeOf(node.Outputs[0].Type with { DType = DType.I32 });
                yield return (node.Input(1)?.Constant?.Bytes.Length ?? 0) + WordBytes;
                break;
        }
    }

    /// <summary>Graphs that a control-flow node runs.</summary>
    public static IEnumerable<string> CalledGraphs(Node node) => node.Op switch
    {
        If branch => [branch.Then, branch.Else],
        While loop => [loop.Condition, loop.Body],
        CallOnce call => [call.Graph],
        _ => [],
    };

    private static long Rounded(long bytes) => (bytes + 15) / 16 * 16;

    private static int Channels(Value value) => Math.Max(1, value.Type.Shape.Rank == 0 ? 1 : value.Type.Shape[-1]);
}
