using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A basic recurrent layer over a sequence: <c>h = activation(W x + R h + b)</c>, each h a result.</summary>
/// <param name="TimeMajor">True when time is the first axis of x and y.</param>
/// <param name="AsymmetricQuantizeInputs">How a hybrid kernel quantizes; carried only.</param>
/// <remarks>
/// <para>Shape: <c>x [B, T, n] (or [T, B, n]), weights [N, n], recurrent weights [N, N], bias [N], state [B, N]
/// (variable) -> y [B, T, N] (or [T, B, N])</c>. The state holds h between invocations.</para>
/// <para>Types: f32. Source: TFLite builtin 35, <c>unidirectional_sequence_rnn.cc</c> of LiteRT, versions 1 to 3.</para>
/// </remarks>
public sealed record UnidirectionalSequenceRnn(bool TimeMajor, FusedActivation Activation, bool AsymmetricQuantizeInputs = false)
    : IOp<UnidirectionalSequenceRnn>, IExecutable, IUnrollable, ITfLiteOp<UnidirectionalSequenceRnn>
{
    public static OpSchema Declaration { get; } = new(
        "unidirectional_sequence_rnn", ["x", "weights", "recurrent_weights", "bias", "state"], ["y"])
    {
        Kernels = KernelTypes.F32,
    };

    public static BuiltinOperator Code => BuiltinOperator.UnidirectionalSequenceRnn;

    public static int MaximumVersion => 3;

    public static UnidirectionalSequenceRnn Parse(AttributeReader attributes) => new(
        attributes.Bool("time_major"),
        attributes.Enum<FusedActivation>("activation"),
        attributes.Bool("asymmetric_quantize_inputs"));

    public static UnidirectionalSequenceRnn Read(TfLiteSource source)
    {
        SequenceRNNOptions options = source.Options<SequenceRNNOptions>();
        return new(options.TimeMajor, (FusedActivation)options.FusedActivationFunction, options.AsymmetricQuantizeInputs);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[1].DType is not DType.I8 ? 1 : AsymmetricQuantizeInputs ? 3 : 2,
        new SequenceRNNOptions
        {
            TimeMajor = TimeMajor,
            FusedActivationFunction = (ActivationFunctionType)Activation,
            AsymmetricQuantizeInputs = AsymmetricQuantizeInputs,
        });

    public void Describe(AttributeWriter attributes) => attributes
        .Add("time_major", TimeMajor)
        .Add("activation", Activation)
        .Add("asymmetric_quantize_inputs", AsymmetricQuantizeInputs);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        if (!Enum.IsDefined(Activation))
        {
            throw new OpRuleException("the activation of the layer is not known") { Found = $"{(int)Activation}" };
        }

        for (int i = 0; i < 5; i++)
        {
            operands.Require(i, DType.F32);
        }

        TensorType x = operands.RequireRank(0, 3);
        operands.RequireRank(1, 2);
        int units = operands.RequireShape(1, -1, x.DimOrUnknown(2)).DimOrUnknown(0);
        operands.RequireShape(2, units, units);
        operands.RequireShape(3, units);
        operands.RequireShape(4, x.DimOrUnknown(TimeMajor ? 1 : 0), units);
        return [new(DType.F32, [x.DimOrUnknown(0), x.DimOrUnknown(1), units])];
    }

    public Value Unroll(GraphBuilder graph, ImmutableArray<Value?> operands, string name)
    {
        UnrolledSequence sequence = new(graph, operands[0]!, TimeMajor, name);
        IReadOnlyList<Value> products = sequence.Products(operands[1]!, operands[3]);
        Value[] results = new Value[sequence.Steps];
        for (int step = 0; step < results.Length; step++)
        {
            Value sum = step == 0 ? products[0] : sequence.Plus(products[step], sequence.Dense(results[step - 1], operands[2]!, null));
            results[step] = sequence.Activate(Activation, sum);
        }

        return sequence.Join(results);
    }

    public Kernel Prepare(KernelContext context)
    {
        Shape x = context.Input(0).Shape;
        SequenceLayout layout = SequenceLayout.Of(x, TimeMajor);
        int inputs = x[2];
        int units = context.Input(1).Shape[0];
        FloatMatVec weights = new(context, 1, inputs, units);
        FloatMatVec recurrent = new(context, 2, units, units);
        Scratch sums = context.Reserve(sizeof(float) * (long)units);
        return () =>
        {
            Span<float> step = sums.Span<float>()[..units];
            for (int i = 0; i < layout.Count; i++)
            {
                (int batch, int position) = layout[i];
                Span<float> h = context.State<float>(4).Slice(batch * units, units);
                context.In<float>(3)[..units].CopyTo(step);
                weights.AddProduct(1, context.In<float>(0).Slice(position * inputs, inputs), inputs, step, units);
                recurrent.AddProduct(1, h, units, step, units);
                FloatActivation.Apply(Activation, step);
                step.CopyTo(h);
                step.CopyTo(context.Out<float>(0).Slice(position * units, units));
            }
        };
    }
}
