using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>
/// Long short-term memory over a sequence. With s the logistic function and a the activation, in each step:
/// <c>i = s(Wi x + Ri h + bi)</c>, <c>f = s(Wf x + Rf h + bf)</c>, <c>g = a(Wg x + Rg h + bg)</c>,
/// <c>c = f c + i g</c>, <c>o = s(Wo x + Ro h + bo)</c>, <c>h = o a(c)</c>.
/// </summary>
/// <param name="Activation">a; the integer kernels know the hyperbolic tangent only.</param>
/// <param name="CellClip">Limit of |c|, in real units; 0 for none.</param>
/// <param name="ProjectionClip">Limit of the projected |h|; 0 for none.</param>
/// <param name="TimeMajor">True when time is the first axis of x and y.</param>
/// <param name="AsymmetricQuantizeInputs">How a hybrid kernel quantizes; carried only.</param>
/// <param name="DiagonalRecurrent">Recurrent weights are vectors <c>[N]</c>, the diagonals of the matrices.</param>
/// <remarks>
/// <para>Shape: <c>x [B, T, n] (or [T, B, n]) -> y [B, T, P] (or [T, B, P])</c>, with N cells and P = N without projection.
/// Operands by gate, in the order input, forget, cell, output: weights [N, n], recurrent weights [N, P], peepholes [N]
/// (no cell gate; read c: the old one for i and f, the new one for o), biases [N]; projection weights [P, N] and bias [P];
/// state h [B, P] and c [B, N], variables kept between invocations; normalization weights [N].</para>
/// <para>Optional: the operands of the input gate, all or none (<c>i = 1 - f</c> then); peepholes; projection
/// (<c>h = clip(Wp (o a(c)) + bp)</c>); layer normalization (a gate's sum without bias is brought to mean 0 and variance
/// 1, multiplied by the weights, and only then biased).</para>
/// <para>Types: f32 throughout; or x, h and y i8 (i16), weights i8 per tensor with zero point 0, biases i32 (i64), c i16 with
/// a power of two as scale, and none of the optional operands but biases and input gate.</para>
/// <para>Source: TFLite builtin 44, versions 1 to 5; float: <c>lstm_eval.cc</c> of LiteRT; integers: <c>lstm_eval.cc</c>
/// of TFLite Micro.</para>
/// </remarks>
public sealed partial record UnidirectionalSequenceLstm(
    FusedActivation Activation,
    float CellClip = 0,
    float ProjectionClip = 0,
    bool TimeMajor = false,
    bool AsymmetricQuantizeInputs = false,
    bool DiagonalRecurrent = false)
    : IOp<UnidirectionalSequenceLstm>, IExecutable, IUnrollable, ITfLiteOp<UnidirectionalSequenceLstm>
{
    // Operands of the first gate; those of the forget, cell and output gate follow.
    private const int Weights = 1;
    private const int Recurrent = 5;
    private const int Biases = 12;
    private const int Norms = 20;

    // Peepholes exist for three gates: input, forget, output.
    private const int Peepholes = 9;
    private const int Projection = 16;
    private const int ProjectionBias = 17;
    private const int Hidden = 18;
    private const int Cell = 19;

    private const int InputGate = 0;
    private const int ForgetGate = 1;
    private const int CellGate = 2;
    private const int OutputGate = 3;

    public static OpSchema Declaration { get; } = new(
        "unidirectional_sequence_lstm",
        [
            "x",
            "input_weights?", "forget_weights", "cell_weights", "output_weights",
            "input_recurrent?", "forget_recurrent", "cell_recurrent", "output_recurrent",
            "input_peephole?", "forget_peephole?", "output_peephole?",
            "input_bias?", "forget_bias", "cell_bias", "output_bias",
            "projection_weights?", "projection_bias?",
            "hidden_state", "cell_state",
            "input_norm?", "forget_norm?", "cell_norm?", "output_norm?",
        ],
        ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.UnidirectionalSequenceLstm;

    public static int MaximumVersion => 5;

    public static UnidirectionalSequenceLstm Parse(AttributeReader attributes) => new(
        attributes.Enum<FusedActivation>("activation"),
        attributes.Float("cell_clip"),
        attributes.Float("projection_clip"),
        attributes.Bool("time_major"),
        attributes.Bool("asymmetric_quantize_inputs"),
        attributes.Bool("diagonal_recurrent"));

    public static UnidirectionalSequenceLstm Read(TfLiteSource source)
    {
        UnidirectionalSequenceLSTMOptions options = source.Options<UnidirectionalSequenceLSTMOptions>();
        return new(
            (FusedActivation)options.FusedActivationFunction,
            options.CellClip,
            options.ProjClip,
            options.TimeMajor,
            options.AsymmetricQuantizeInputs,
            options.DiagonalRecurrentTensors);
    }

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        DType x = target.Operands[0].DType;
        DType weights = target.Operands[Weights + ForgetGate].DType;
        int version = x is DType.I16 && target.Output().DType is DType.I16 && weights is DType.I8 ? 5
            : DiagonalRecurrent ? 4
            : x is DType.F32 && weights is DType.I8 ? AsymmetricQuantizeInputs ? 3 : 2
            : 1;
        return new(version, new UnidirectionalSequenceLSTMOptions
        {
            FusedActivationFunction = (ActivationFunctionType)Activation,
            CellClip = CellClip,
            ProjClip = ProjectionClip,
            TimeMajor = TimeMajor,
            AsymmetricQuantizeInputs = AsymmetricQuantizeInputs,
            DiagonalRecurrentTensors = DiagonalRecurrent,
        });
    }

    public void Describe(AttributeWriter attributes) => attributes
        .Add("activation", Activation)
        .Add("cell_clip", CellClip)
        .Add("projection_clip", ProjectionClip)
        .Add("time_major", TimeMajor)
        .Add("asymmetric_quantize_inputs", AsymmetricQuantizeInputs)
        .Add("diagonal_recurrent", DiagonalRecurrent);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        if (!Enum.IsDefined(Activation) || !(CellClip >= 0) || !(ProjectionClip >= 0))
        {
            throw new OpRuleException("activation or clip of the layer is not allowed")
            {
                Found = $"activation {(int)Activation}, cell clip {CellClip:R}, projection clip {ProjectionClip:R}",
                Expected = "a known activation and clips that are not negative",
            };
        }

        DType type = operands.Require(0, DType.F32, DType.I8, DType.I16).DType;
        TensorType x = operands.RequireRank(0, 3);
        CheckPresence(operands);
        CheckTypes(operands, type);
        return [new(type, [x.DimOrUnknown(0), x.DimOrUnknown(1), CheckShapes(operands, x)])];
    }

    public Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => PrepareFloat(context),
        DType.I8 => PrepareInteger<sbyte>(context),
        _ => PrepareInteger<short>(context),
    };

    /// <summary>First gate that has weights: a layer without input gate couples it to the forget gate.</summary>
    private static int FirstGate(bool hasInputGate) => hasInputGate ? InputGate : ForgetGate;

    /// <summary>The peephole operand of a gate, or -1 for the cell gate.</summary>
    private static int PeepholeOf(int gate) => gate switch
    {
        InputGate => Peepholes,
        ForgetGate => Peepholes + 1,
        OutputGate => Peepholes + 2,
        _ => -1,
    };

    private static void CheckPresence(OpOperands operands)
    {
        bool hasInputGate = operands.Has(Weights);
        bool hasPeepholes = operands.Has(Peepholes + 1);
        bool hasNorms = operands.Has(Norms + ForgetGate);
        Demand(operands, hasInputGate, "the input gate", Recurrent, Biases);
        Demand(operands, hasPeepholes, "peepholes", Peepholes + 2);
        Demand(operands, hasPeepholes && hasInputGate, "peepholes", Peepholes);
        Demand(operands, hasNorms, "layer normalization", Norms + CellGate, Norms + OutputGate);
        Demand(operands, hasNorms && hasInputGate, "layer normalization", Norms);
        if (operands.Has(ProjectionBias))
        {
            Demand(operands, present: true, "the projection", Projection);
        }
    }

    private static void Demand(OpOperands operands, bool present, string part, params ReadOnlySpan<int> indices)
    {
        foreach (int index in indices)
        {
            if (operands.Has(index) != present)
            {
                throw new OpRuleException($"the operands of {part} are given in part only")
                {
                    Found = $"operand {index} is {(present ? "missing" : "present")}",
                    Expected = "all or none",
                };
            }
        }
    }

    private static void CheckTypes(OpOperands operands, DType type)
    {
        bool isFloat = type is DType.F32;
        DType weights = isFloat ? DType.F32 : DType.I8;
        DType bias = type switch
        {
            DType.F32 => DType.F32,
            DType.I8 => DType.I32,
            _ => DType.I64,
        };
        for (int gate = FirstGate(operands.Has(Weights)); gate <= OutputGate; gate++)
        {
            operands.Require(Weights + gate, weights);
            operands.Require(Recurrent + gate, weights);
            operands.Require(Biases + gate, bias);
        }

        operands.Require(Hidden, type);
        operands.Require(Cell, isFloat ? DType.F32 : DType.I16);
        foreach (int index in (ReadOnlySpan<int>)[Peepholes, Peepholes + 1, Peepholes + 2, Projection, ProjectionBias, Norms, Norms + 1, Norms + 2, Norms + 3])
        {
            if (operands.Has(index))
            {
                operands.Require(index, isFloat ? DType.F32 : throw new OpRuleException("the integer kernel has no peepholes, projection or layer normalization")
                {
                    Found = $"operand {index}",
                });
            }
        }
    }

    /// <returns>P, the width of the result; -1 when it is not known.</returns>
    private int CheckShapes(OpOperands operands, TensorType x)
    {
        operands.RequireRank(Weights + ForgetGate, 2);
        int cells = operands[Weights + ForgetGate].DimOrUnknown(0);
        int width = cells;
        if (operands.Has(Projection))
        {
            operands.RequireRank(Projection, 2);
            width = operands.RequireShape(Projection, -1, cells).DimOrUnknown(0);
        }

        if (operands.Has(ProjectionBias))
        {
            operands.RequireShape(ProjectionBias, width);
        }

        for (int gate = FirstGate(operands.Has(Weights)); gate <= OutputGate; gate++)
        {
            operands.RequireShape(Weights + gate, cells, x.DimOrUnknown(2));
            operands.RequireShape(Recurrent + gate, DiagonalRecurrent ? [cells] : [cells, width]);
            operands.RequireShape(Biases + gate, cells);
            foreach (int vector in (ReadOnlySpan<int>)[PeepholeOf(gate), Norms + gate])
            {
                if (vector >= 0 && operands.Has(vector))
                {
                    operands.RequireShape(vector, cells);
                }
            }
        }

        if (DiagonalRecurrent && operands.Has(Projection))
        {
            throw new OpRuleException("diagonal recurrent weights exclude a projection") { Found = operands[Projection].ToString() };
        }

        int batch = x.DimOrUnknown(TimeMajor ? 1 : 0);
        operands.RequireShape(Hidden, batch, width);
        operands.RequireShape(Cell, batch, cells);
        return width;
    }
}
