using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>
/// Singular value decomposition filter: one step of a filter over time whose matrices have a given rank; each filter
/// projects the input to one number, keeps the last M of them as state, and weighs these.
/// </summary>
/// <param name="Rank">Filters that are added for one unit; divides F.</param>
/// <param name="Activation">Applied to the float result; the integer kernel ignores it, as the reference does.</param>
/// <param name="AsymmetricQuantizeInputs">How a hybrid kernel quantizes; carried only.</param>
/// <remarks>
/// <para>Shape: <c>x [B, n], feature weights [F, n], time weights [F, M], bias [F / rank] (optional), state [B, F * M]
/// (variable) -> y [B, F / rank]</c>. The state of a filter runs from the oldest to the newest value.</para>
/// <para>Types: f32 throughout; or x, feature weights and y i8, time weights and state both i16 or both i8, bias i32 with
/// the scale of state times time weights.</para>
/// <para>Source: TFLite builtin 27, <c>svdf.h</c> of TFLite's reference kernels and <c>svdf_common.cc</c> of TFLite
/// Micro, versions 1 to 4.</para>
/// </remarks>
public sealed partial record Svdf(int Rank, FusedActivation Activation, bool AsymmetricQuantizeInputs = false)
    : IOp<Svdf>, IExecutable, IQuantizable, ITfLiteOp<Svdf>
{
    private const int X = 0;
    private const int FeatureWeights = 1;
    private const int TimeWeights = 2;
    private const int Bias = 3;
    private const int State = 4;

    public static OpSchema Declaration { get; } = new("svdf", ["x", "feature_weights", "time_weights", "bias?", "state"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8,
    };

    public static BuiltinOperator Code => BuiltinOperator.Svdf;

    public static int MaximumVersion => 4;

    public static Svdf Parse(AttributeReader attributes) => new(
        attributes.Int("rank"),
        attributes.Enum<FusedActivation>("activation"),
        attributes.Bool("asymmetric_quantize_inputs"));

    public static Svdf Read(TfLiteSource source)
    {
        SVDFOptions options = source.Options<SVDFOptions>();
        return new(options.Rank, (FusedActivation)options.FusedActivationFunction, options.AsymmetricQuantizeInputs);
    }

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        int version = (target.Operands[X].DType, target.Operands[FeatureWeights].DType) switch
        {
            (DType.I8, _) => 3,
            (DType.F32, DType.I8) => AsymmetricQuantizeInputs ? 4 : 2,
            _ => 1,
        };
        return new(version, new SVDFOptions
        {
            Rank = Rank,
            FusedActivationFunction = (ActivationFunctionType)Activation,
            AsymmetricQuantizeInputs = AsymmetricQuantizeInputs,
        });
    }

    public void Describe(AttributeWriter attributes) => attributes
        .Add("rank", Rank)
        .Add("activation", Activation)
        .Add("asymmetric_quantize_inputs", AsymmetricQuantizeInputs);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        if (Rank <= 0 || !Enum.IsDefined(Activation))
        {
            throw new OpRuleException("rank or activation of the filter is not allowed") { Found = $"rank {Rank}, activation {(int)Activation}" };
        }

        DType type = operands.Require(X, DType.F32, DType.I8).DType;
        CheckTypes(operands, type);
        operands.RequireRank(X, 2);
        int batch = operands[X].DimOrUnknown(0);
        operands.RequireRank(FeatureWeights, 2);
        int filters = operands.RequireShape(FeatureWeights, -1, operands[X].DimOrUnknown(1)).DimOrUnknown(0);
        operands.RequireRank(TimeWeights, 2);
        int memory = operands.RequireShape(TimeWeights, filters, -1).DimOrUnknown(1);
        if (filters % Rank != 0 && filters >= 0)
        {
            throw new OpRuleException("the number of filters is no multiple of the rank") { Found = $"{filters}", Expected = $"a multiple of {Rank}" };
        }

        int units = filters < 0 ? -1 : filters / Rank;
        long states = filters < 0 || memory < 0 ? -1 : (long)filters * memory;
        if (states > int.MaxValue || memory == 0)
        {
            throw new OpRuleException("the state of the filters is empty or too large") { Found = $"{filters} x {memory}" };
        }

        if (operands.Has(Bias))
        {
            operands.RequireShape(Bias, units);
        }

        operands.RequireShape(State, batch, (int)states);
        return [new(type, [batch, units])];
    }

    /// <summary>State and time weights are 16 bits wide, which every runtime knows; the bias belongs to their product.</summary>
    /// <remarks>A rectifier needs no kernel: it ends the range of the output at 0, where the integers saturate.</remarks>
    public QuantRule QuantRule(OpOperands operands) => Activation is FusedActivation.None or FusedActivation.Relu
        ? new(
            [
                OperandRule.Activation,
                OperandRule.WeightsAlong(0, perChannel: false),
                OperandRule.Wide,
                operands.Has(Bias) ? OperandRule.BiasOf(State, TimeWeights) : OperandRule.AsIs,
                OperandRule.Wide,
            ],
            [OperandRule.Activation])
        { Activations = KernelTypes.I8 }
        : throw new OpRuleException("the integer filter has no such activation") { Found = Activation.ToString(), Expected = "None or Relu" };

    public Kernel Prepare(KernelContext context) => context.Input(X).DType is DType.F32
        ? PrepareFloat(context)
        : context.Input(State).DType is DType.I16 ? PrepareInteger<short>(context) : PrepareInteger<sbyte>(context);

    private static void CheckTypes(OpOperands operands, DType type)
    {
        if (type is DType.F32)
        {
            if (operands[FeatureWeights].DType is DType.I8 or DType.U8)
            {
                throw new OpRuleException("float filters with integer weights cannot be executed") { Found = operands[FeatureWeights].DType.Name, Expected = "f32" };
            }

            foreach (int index in (ReadOnlySpan<int>)[FeatureWeights, TimeWeights, State])
            {
                operands.Require(index, DType.F32);
            }

            if (operands.Has(Bias))
            {
                operands.Require(Bias, DType.F32);
            }

            return;
        }

        operands.Require(FeatureWeights, DType.I8);
        operands.Require(State, operands.Require(TimeWeights, DType.I8, DType.I16).DType);
        if (operands.Has(Bias))
        {
            operands.Require(Bias, DType.I32);
        }
    }

    private Kernel PrepareFloat(KernelContext context)
    {
        int batch = context.Input(X).Shape[0];
        int inputs = context.Input(X).Shape[1];
        int filters = context.Input(FeatureWeights).Shape[0];
        int memory = context.Input(TimeWeights).Shape[1];
        int units = filters / Rank;
        FloatMatVec features = new(context, FeatureWeights, inputs, filters);
        Scratch newest = context.Reserve(sizeof(float) * (long)batch * filters);
        return () =>
        {
            Span<float> state = context.State<float>(State);
            Span<float> y = context.Out<float>(0);
            Span<float> values = newest.Span<float>()[..(batch * filters)];
            values.Clear();
            features.AddProduct(batch, context.In<float>(X), inputs, values, filters);
            if (!state.IsEmpty)
            {
                state[1..].CopyTo(state);
            }

            for (int i = 0; i < values.Length; i++)
            {
                state[(i * memory) + memory - 1] = values[i];
            }

            ReadOnlySpan<float> weights = context.In<float>(TimeWeights);
            ReadOnlySpan<float> bias = context.Has(Bias) ? context.In<float>(Bias) : default;
            for (int i = 0; i < y.Length; i++)
            {
                int unit = i % units;
                float sum = bias.IsEmpty ? 0 : bias[unit];
                for (int r = 0; r < Rank; r++)
                {
                    int filter = (unit * Rank) + r;
                    sum += Weigh(
                        weights.Slice(filter * memory, memory),
                        state.Slice(((i / units * filters) + filter) * memory, memory));
                }

                y[i] = sum;
            }

            FloatActivation.Apply(Activation, y);
        };
    }

    private static float Weigh(ReadOnlySpan<float> weights, ReadOnlySpan<float> state)
    {
        float sum = 0;
        for (int m = 0; m < weights.Length; m++)
        {
            sum += weights[m] * state[m];
        }

        return sum;
    }
}
