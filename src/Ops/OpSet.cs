using System.Collections.Frozen;
using System.Collections.Immutable;
using Optc.Formats.TfLite;

namespace Optc.Ops;

/// <summary>Every op optc knows, in alphabetical order. An op that is not here does not exist.</summary>
public static class OpSet
{
    public static ImmutableArray<OpEntry> All { get; } =
    [
        OpEntry.TfLite<Abs>(),
        OpEntry.TfLite<Add>(),
        OpEntry.TfLite<ArgMax>(),
        OpEntry.TfLite<ArgMin>(),
        OpEntry.TfLite<AssignVariable>(),
        OpEntry.TfLite<AveragePool2D>(),
        OpEntry.TfLite<BatchMatMul>(),
        OpEntry.TfLite<CallOnce>(),
        OpEntry.TfLite<Ceil>(),
        OpEntry.TfLite<Concatenation>(),
        OpEntry.TfLite<Conv2D>(),
        OpEntry.TfLite<Cos>(),
        OpEntry.TfLite<Cumsum>(),
        OpEntry.TfLite<DepthwiseConv2D>(),
        OpEntry.TfLite<Dequantize>(),
        OpEntry.TfLite<Elu>(),
        OpEntry.TfLite<EmbeddingLookup>(),
        OpEntry.TfLite<Exp>(),
        OpEntry.TfLite<Floor>(),
        OpEntry.TfLite<FullyConnected>(),
        OpEntry.TfLite<Gelu>(),
        OpEntry.TfLite<HardSwish>(),
        OpEntry.TfLite<If>(),
        OpEntry.TfLite<L2Normalization>(),
        OpEntry.TfLite<L2Pool2D>(),
        OpEntry.TfLite<LeakyRelu>(),
        OpEntry.TfLite<Log>(),
        OpEntry.TfLite<Logistic>(),
        OpEntry.TfLite<LogSoftmax>(),
        OpEntry.TfLite<MaxPool2D>(),
        OpEntry.TfLite<Mean>(),
        OpEntry.TfLite<MirrorPad>(),
        OpEntry.TfLite<Mul>(),
        OpEntry.TfLite<Neg>(),
        OpEntry.Of<OpaqueTfLite>(),
        OpEntry.TfLite<Pack>(),
        OpEntry.TfLite<Pad>(),
        OpEntry.TfLite<PadV2>(),
        OpEntry.TfLite<Prelu>(),
        OpEntry.TfLite<Quantize>(),
        OpEntry.TfLite<ReadVariable>(),
        OpEntry.TfLite<ReduceAll>(),
        OpEntry.TfLite<ReduceAny>(),
        OpEntry.TfLite<ReduceMax>(),
        OpEntry.TfLite<ReduceMin>(),
        OpEntry.TfLite<ReduceProd>(),
        OpEntry.TfLite<Relu>(),
        OpEntry.TfLite<Relu0To1>(),
        OpEntry.TfLite<Relu6>(),
        OpEntry.TfLite<ReluN1To1>(),
        OpEntry.TfLite<Reshape>(),
        OpEntry.TfLite<Round>(),
        OpEntry.TfLite<Rsqrt>(),
        OpEntry.TfLite<Sign>(),
        OpEntry.TfLite<Sin>(),
        OpEntry.TfLite<Softmax>(),
        OpEntry.TfLite<Split>(),
        OpEntry.TfLite<SplitV>(),
        OpEntry.TfLite<Sqrt>(),
        OpEntry.TfLite<Square>(),
        OpEntry.TfLite<StridedSlice>(),
        OpEntry.TfLite<Sub>(),
        OpEntry.TfLite<Sum>(),
        OpEntry.TfLite<Svdf>(),
        OpEntry.TfLite<Tanh>(),
        OpEntry.TfLite<TopkV2>(),
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
