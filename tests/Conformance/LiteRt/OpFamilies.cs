using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>The ops that are run beside LiteRT.</summary>
/// <remarks>
/// Integers must be equal in every bit, but for FULLY_CONNECTED with 16-bit activations: LiteRT rounds it otherwise than
/// TFLite Micro does and by a rule that is not known, one step is allowed. Float sums are taken in another order, exponentials are
/// polynomials of another degree: 1e-5 of the largest value.
/// </remarks>
internal static partial class OpFamilies
{
    private const double Exact = 0;
    private const double OneStep = 1;
    private const double FloatTolerance = 1e-5;

    public static ImmutableArray<OpFamily> All { get; } =
    [
        .. Both("CONV_2D", Convolution),
        .. Both("DEPTHWISE_CONV_2D", DepthwiseConvolution),
        .. Both("FULLY_CONNECTED", Dense),
        .. Both("TRANSPOSE_CONV", TransposedConvolution),
        .. Both("BATCH_MATMUL", MatrixProduct),
        .. Both("ADD", s => Sum(s, new Add(Activation(s)))),
        .. Both("SUB", s => Sum(s, new Sub(Activation(s)))),
        .. Both("MUL", Product),
        .. Both("AVERAGE_POOL_2D", s => Pool(s, (fh, fw, sh, sw, p, a) => new AveragePool2D(fh, fw, sh, sw, p, a))),
        .. Both("MAX_POOL_2D", s => Pool(s, (fh, fw, sh, sw, p, a) => new MaxPool2D(fh, fw, sh, sw, p, a))),
        .. Both("MEAN", s => Reduce(s, new Mean(s.Coin()), new(0.9, 0.5))),
        .. Both("SUM", s => Reduce(s, new Sum(s.Coin()), new(4, 2))),
        .. Both("REDUCE_MAX", s => Reduce(s, new ReduceMax(s.Coin()), null)),
        .. Both("REDUCE_MIN", s => Reduce(s, new ReduceMin(s.Coin()), null)),
        .. Both("SOFTMAX", s => Unary(s, new Softmax(s.Float(0.5, 2)), s.Grid(), s.Grid(1f / 256, -128))),
        .. Both("LOG_SOFTMAX", s => Unary(s, new LogSoftmax(), s.Grid(), s.Grid(16f / 256, 127))),
        .. Both("LOGISTIC", s => Unary(s, new Logistic(), s.Grid(), s.Grid(1f / 256, -128))),
        .. Both("TANH", s => Unary(s, new Tanh(), s.Grid(), s.Grid(1f / 128, 0))),
        .. Both("ELU", s => Unary(s, new Elu(), s.Grid(), s.Grid())),
        .. Both("HARD_SWISH", s => Unary(s, new HardSwish(), s.Grid(), s.Grid())),
        .. Both("GELU", s => Unary(s, new Gelu(s.Coin()), s.Grid(), s.Grid())),
        .. Both("LEAKY_RELU", s => Unary(s, new LeakyRelu(s.Float(0.01, 0.9)), s.Grid(), s.Grid())),
        .. Both("PRELU", Prelu),
        .. Both("RELU", s => Unary(s, new Relu(), s.Grid(), s.Grid())),
        .. Both("RELU6", s => Same(s, new Relu6(), s.Shape(3))),
        .. Both("ABS", s => Same(s, new Abs(), s.Shape(3))),
        .. Both("L2_NORMALIZATION", s => Unary(s, new L2Normalization(), s.Grid(), s.Grid(1f / 128, 0))),
        .. Both("PAD", s => Padded(s, new Pad(), withValue: false)),
        .. Both("PADV2", s => Padded(s, new PadV2(), withValue: true)),
        .. Both("MIRROR_PAD", Mirrored),
        .. Both("CONCATENATION", Joined),
        .. Both("RESHAPE", s => Same(s, new Reshape([-1, s.Int(1, 4)]), [4, 3, 6], shape => s.Ints(shape))),
        .. Both("TRANSPOSE", Transposed),
        .. Both("STRIDED_SLICE", Strided),
        .. Both("SLICE", Sliced),
        .. Both("SPLIT", Parts),
        .. Both("PACK", Packed),
        .. Both("UNPACK", Unpacked),
        .. Both("GATHER", Gathered),
        .. Both("TILE", Tiled),
        .. Both("DEPTH_TO_SPACE", s => Same(s, new DepthToSpace(2), [1, s.Int(1, 4), s.Int(1, 4), 4 * s.Int(1, 3)])),
        .. Both("SPACE_TO_DEPTH", s => Same(s, new SpaceToDepth(2), [1, 2 * s.Int(1, 4), 2 * s.Int(1, 4), s.Int(1, 3)])),
        .. Both("RESIZE_BILINEAR", Bilinear),
        .. Both("RESIZE_NEAREST_NEIGHBOR", Nearest),
        new("ARG_MAX", DType.F32, Exact, s => Largest(s)),
        new("ARG_MAX", DType.I8, Exact, s => Largest(s)),
        new("QUANTIZE", DType.F32, Exact, s => Converted(s, new Quantize(DType.I8), new(s.Scale(-7, -3), s.Int(-128, 127)))),
        new("QUANTIZE", DType.I8, Exact, s => Converted(s, new Quantize(DType.I8), s.Grid())),
        new("DEQUANTIZE", DType.I8, FloatTolerance, s => Converted(s, new Dequantize(), null)),
        new("SQRT", DType.F32, FloatTolerance, s => AfterSquare(s, new Sqrt())),
        new("EXP", DType.F32, FloatTolerance, s => Same(s, new Exp(), s.Shape(3))),
        new("SIN", DType.F32, FloatTolerance, s => Same(s, new Sin(), s.Shape(3))),
        new("COS", DType.F32, FloatTolerance, s => Same(s, new Cos(), s.Shape(3))),
        new("FLOOR", DType.F32, Exact, s => Same(s, new Floor(), s.Shape(3))),
        new("CEIL", DType.F32, Exact, s => Same(s, new Ceil(), s.Shape(3))),
        new("ROUND", DType.F32, Exact, s => Same(s, new Round(), s.Shape(3))),
        new("NEG", DType.F32, Exact, s => Same(s, new Neg(), s.Shape(3))),
        new("CUMSUM", DType.F32, FloatTolerance, s => Same(s, new Cumsum(s.Coin(), s.Coin()), s.Shape(3), _ => s.IntScalar(s.Int(0, 2)))),
        new("CONV_2D", DType.I16, Exact, Convolution),
        new("DEPTHWISE_CONV_2D", DType.I16, Exact, DepthwiseConvolution),
        new("FULLY_CONNECTED", DType.I16, OneStep, Dense),
        .. Pairs,
        new("CONV_2D", DType.F32, FloatTolerance, Convolution) { IsHybrid = true },
        new("FULLY_CONNECTED", DType.F32, FloatTolerance, Dense) { IsHybrid = true },
    ];

    private static OpFamily[] Both(string op, Func<OpSampler, OpModel> make, double steps = Exact) =>
        [new(op, DType.I8, steps, make), new(op, DType.F32, FloatTolerance, make)];
}
