using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Square root, element by element.</summary>
/// <remarks>Types: f32. Source: TFLite builtin 75, <c>elementwise.cc</c>, version 1.</remarks>
public sealed record Sqrt : Elementwise<Sqrt>, IOp<Sqrt>, IDifferentiable, ITfLiteOp<Sqrt>
{
    public static OpSchema Declaration { get; } = new("sqrt", ["x"], ["y"]) { Kernels = KernelTypes.F32 };

    public static BuiltinOperator Code => BuiltinOperator.Sqrt;

    public static int MaximumVersion => 1;

    public static Sqrt Parse(AttributeReader attributes) => new();

    public static Sqrt Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Divide(g.Multiply(g.Gradient(), 0.5f), g.Output()));

    public override Kernel Prepare(KernelContext context) => FloatMap.Prepare<SqrtFunction>(context);
}

/// <summary>Square, element by element.</summary>
/// <remarks>Types: f32. Source: TFLite builtin 92, <c>elementwise.cc</c>, version 1.</remarks>
public sealed record Square : Elementwise<Square>, IOp<Square>, IDifferentiable, ITfLiteOp<Square>
{
    public static OpSchema Declaration { get; } = new("square", ["x"], ["y"]) { Kernels = KernelTypes.F32 };

    public static BuiltinOperator Code => BuiltinOperator.Square;

    public static int MaximumVersion => 1;

    public static Square Parse(AttributeReader attributes) => new();

    public static Square Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new SquareOptions());

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Multiply(g.Multiply(g.Gradient(), g.Input(0)), 2));

    public override Kernel Prepare(KernelContext context) => FloatMap.Prepare<SquareFunction>(context);
}

/// <summary>Sine of radians, element by element.</summary>
/// <remarks>Types: f32. Source: TFLite builtin 66, <c>elementwise.cc</c>, version 1.</remarks>
public sealed record Sin : Elementwise<Sin>, IOp<Sin>, IDifferentiable, ITfLiteOp<Sin>
{
    public static OpSchema Declaration { get; } = new("sin", ["x"], ["y"]) { Kernels = KernelTypes.F32 };

    public static BuiltinOperator Code => BuiltinOperator.Sin;

    public static int MaximumVersion => 1;

    public static Sin Parse(AttributeReader attributes) => new();

    public static Sin Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Multiply(g.Gradient(), g.Add(new Cos(), g.Input(0))));

    public override Kernel Prepare(KernelContext context) => FloatMap.Prepare<SinFunction>(context);
}

/// <summary>Cosine of radians, element by element.</summary>
/// <remarks>Types: f32. Source: TFLite builtin 108, <c>elementwise.cc</c>, version 1.</remarks>
public sealed record Cos : Elementwise<Cos>, IOp<Cos>, IDifferentiable, ITfLiteOp<Cos>
{
    public static OpSchema Declaration { get; } = new("cos", ["x"], ["y"]) { Kernels = KernelTypes.F32 };

    public static BuiltinOperator Code => BuiltinOperator.Cos;

    public static int MaximumVersion => 1;

    public static Cos Parse(AttributeReader attributes) => new();

    public static Cos Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new CosOptions());

    public void Differentiate(GradientBuilder g) =>
        g.Give(0, g.Negative(g.Multiply(g.Gradient(), g.Add(new Sin(), g.Input(0)))));

    public override Kernel Prepare(KernelContext context) => FloatMap.Prepare<CosFunction>(context);

    private protected override bool KeepsZero => false;
}

/// <summary>Largest integer that is not above x, element by element.</summary>
/// <remarks>Types: f32. Source: TFLite builtin 8, <c>reference/floor.h</c>, version 1.</remarks>
public sealed record Floor : Elementwise<Floor>, IOp<Floor>, IDifferentiable, ITfLiteOp<Floor>
{
    public static OpSchema Declaration { get; } = new("floor", ["x"], ["y"]) { Kernels = KernelTypes.F32 };

    public static BuiltinOperator Code => BuiltinOperator.Floor;

    public static int MaximumVersion => 1;

    public static Floor Parse(AttributeReader attributes) => new();

    public static Floor Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1);

    /// <summary>Nothing: the op is constant almost everywhere. FAKE_QUANT passes a gradient through its steps.</summary>
    public void Differentiate(GradientBuilder g)
    {
    }

    public override Kernel Prepare(KernelContext context) => FloatMap.Prepare<FloorFunction>(context);
}

/// <summary>Smallest integer that is not below x, element by element.</summary>
/// <remarks>Types: f32. Source: TFLite builtin 104, <c>reference/ceil.h</c>, version 1.</remarks>
public sealed record Ceil : Elementwise<Ceil>, IOp<Ceil>, IDifferentiable, ITfLiteOp<Ceil>
{
    public static OpSchema Declaration { get; } = new("ceil", ["x"], ["y"]) { Kernels = KernelTypes.F32 };

    public static BuiltinOperator Code => BuiltinOperator.Ceil;

    public static int MaximumVersion => 1;

    public static Ceil Parse(AttributeReader attributes) => new();

    public static Ceil Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1);

    /// <summary>Nothing: the op is constant almost everywhere. FAKE_QUANT passes a gradient through its steps.</summary>
    public void Differentiate(GradientBuilder g)
    {
    }

    public override Kernel Prepare(KernelContext context) => FloatMap.Prepare<CeilFunction>(context);
}

/// <summary>Nearest integer, halves to the even one, element by element.</summary>
/// <remarks>Types: f32. Source: TFLite builtin 116, <c>reference/round.h</c>, version 1.</remarks>
public sealed record Round : Elementwise<Round>, IOp<Round>, IDifferentiable, ITfLiteOp<Round>
{
    public static OpSchema Declaration { get; } = new("round", ["x"], ["y"]) { Kernels = KernelTypes.F32 };

    public static BuiltinOperator Code => BuiltinOperator.Round;

    public static int MaximumVersion => 1;

    public static Round Parse(AttributeReader attributes) => new();

    public static Round Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1);

    /// <summary>Nothing: the op is constant almost everywhere. FAKE_QUANT passes a gradient through its steps.</summary>
    public void Differentiate(GradientBuilder g)
    {
    }

    public override Kernel Prepare(KernelContext context) => FloatMap.Prepare<RoundFunction>(context);
}
