using System.Collections.Frozen;
using System.Collections.Immutable;
using Optc.Formats.TfLite;

namespace Optc.Ops;

/// <summary>Every op optc knows, in alphabetical order. An op that is not here does not exist.</summary>
public static class OpSet
{
    public static ImmutableArray<OpEntry> All { get; } =
    [
        OpEntry.TfLite<Add>(),
        OpEntry.TfLite<AssignVariable>(),
        OpEntry.TfLite<AveragePool2D>(),
        OpEntry.TfLite<BatchMatMul>(),
        OpEntry.TfLite<CallOnce>(),
        OpEntry.TfLite<Concatenation>(),
        OpEntry.TfLite<Conv2D>(),
        OpEntry.TfLite<DepthwiseConv2D>(),
        OpEntry.TfLite<Dequantize>(),
        OpEntry.TfLite<EmbeddingLookup>(),
        OpEntry.TfLite<FullyConnected>(),
        OpEntry.TfLite<If>(),
        OpEntry.TfLite<L2Pool2D>(),
        OpEntry.TfLite<LeakyRelu>(),
        OpEntry.TfLite<MaxPool2D>(),
        OpEntry.TfLite<MirrorPad>(),
        OpEntry.TfLite<Mul>(),
        OpEntry.Of<OpaqueTfLite>(),
        OpEntry.TfLite<Pack>(),
        OpEntry.TfLite<Pad>(),
        OpEntry.TfLite<PadV2>(),
        OpEntry.TfLite<Quantize>(),
        OpEntry.TfLite<ReadVariable>(),
        OpEntry.TfLite<Reshape>(),
        OpEntry.TfLite<Split>(),
        OpEntry.TfLite<SplitV>(),
        OpEntry.TfLite<StridedSlice>(),
        OpEntry.TfLite<Sub>(),
        OpEntry.TfLite<Svdf>(),
        OpEntry.TfLite<Transpose>(),
        OpEntry.TfLite<TransposeConv>(),
        OpEntry.TfLite<UnidirectionalSequenceLstm>(),
        OpEntry.TfLite<UnidirectionalSequenceRnn>(),
        OpEntry.TfLite<Unpack>(),
        OpEntry.TfLite<VarHandle>(),
        OpEntry.TfLite<While>(),
    ];

    private static readonly FrozenDictionary<string, OpEntry> ByName = All.ToFrozenDictionary(e => e.Schema.Name);

    private static readonly FrozenDictionary<BuiltinOperator, OpEntry> ByTfLiteCode =
        All.Where(e => e.TfLiteCode is not null).ToFrozenDictionary(e => e.TfLiteCode!.Value);

    public static OpEntry? Find(string name) => ByName.GetValueOrDefault(name);

    public static OpEntry? Find(BuiltinOperator code) => ByTfLiteCode.GetValueOrDefault(code);
}
