using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>
/// A convolution between two batch normalizations in training: its input is normalized by given statistics, scaled, shifted,
/// activated and rounded on the way, and the statistics of its result are taken on the way too.
/// </summary>
/// <param name="Epsilon">Added to the variance of the input; positive.</param>
/// <param name="Activation">Of the input, behind its normalization; none, or one of the rectifiers.</param>
/// <param name="Depthwise">True for one filter per channel.</param>
/// <param name="Low">Smallest integer of the grid of the input, as in <see cref="LearnedFakeQuant"/>; 0 as is <paramref name="High"/> without one.</param>
/// <param name="High">Largest integer.</param>
/// <param name="Statistics">False where nobody asks for mean and variance of the result; they are then empty.</param>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C], w [O, KH, KW, C / G] or [1, KH, KW, C], gamma [C], beta [C], mean [C], variance [C],
/// log_scale [], zero [] -> y [N, OH, OW, O], y_mean [O], y_variance [O]</c>. The four vectors are there together or not at all, and so are the two
/// numbers of the grid; without them x is taken as it is.</para>
/// <para>Types: f32. <c>y = w * round(act(gamma (x - mean) / sqrt(variance + epsilon) + beta))</c>, the bits of <see cref="NormalizeChannels"/>
/// and <see cref="LearnedFakeQuant"/> before it, with the products of
/// <see cref="Conv2D"/> and <see cref="DepthwiseConv2D"/> in their order; the variance is the biased one. The batch is taken in pieces
/// that fit the cache: the normalized input is never written to memory, and nothing is read twice. Pieces and their order
/// depend on the shapes only, so results do not depend on the number of threads.</para>
/// <para>Source of the moments of pieces: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing
/// Sample Variances, 1979.</para>
/// </remarks>
public sealed record NormalizedConvolution(
    int StrideH,
    int StrideW,
    PaddingMode Padding,
    bool Depthwise = false,
    int DilationH = 1,
    int DilationW = 1,
    float Epsilon = 1e-3f,
    FusedActivation Activation = FusedActivation.None,
    int Low = 0,
    int High = 0,
    bool Statistics = true) : IOp<NormalizedConvolution>, IExecutable, IDifferentiable
{
    private const int Gamma = 2;
    private const int LogScale = 6;
    private const int Zero = 7;

    public static OpSchema Declaration { get; } = new(
        "normalized_convolution", ["x", "w", "gamma?", "beta?", "mean?", "variance?", "log_scale?", "zero?"], ["y", "y_mean", "y_variance"])
    {
        Kernels = KernelTypes.F32,
    };

    public static NormalizedConvolution Parse(AttributeReader attributes) => new(
        attributes.Int("stride_h"),
        attributes.Int("stride_w"),
        attributes.Enum<PaddingMode>("padding"),
        attributes.Bool("depthwise"),
        attributes.Int("dilation_h"),
        attributes.Int("dilation_w"),
        attributes.Float("epsilon"),
        attributes.Enum<FusedActivation>("activation"),
        attributes.Int("low"),
        attributes.Int("high"),
        attributes.Bool("statistics"));

    public void Describe(AttributeWriter attributes) => attributes
        .Add("stride_h", StrideH)
        .Add("stride_w", StrideW)
        .Add("padding", Padding)
        .Add("depthwise", Depthwise)
        .Add("dilation_h", DilationH)
        .Add("dilation_w", DilationW)
        .Add("epsilon", Epsilon)
        .Add("activation", Activation)
        .Add("low", Low)
        .Add("high", High)
        .Add("statistics", Statistics);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        Shape x = operands.Require(0, DType.F32).Shape;
        Shape w = operands.Require(1, DType.F32).Shape;
        if (!x.IsKnown || !w.IsKnown || x.Rank != 4 || w.Rank != 4)
        {
            throw new OpRuleException("a block of a training step has known shapes") { Found = $"{x} and {w}", Expected = "4 dimensions each" };
        }

        BatchNormalization.RequireKnown(Activation);
        if (operands.Has(Gamma))
        {
            ChannelRows.Infer(operands, 0, Gamma, Gamma + 1, Gamma + 2, Gamma + 3);
        }

        if (operands.Has(LogScale))
        {
            LearnedFakeQuant.RequireRange(Low, High);
            LearnedFakeQuant.RequireScalar(operands, LogScale);
            LearnedFakeQuant.RequireScalar(operands, Zero);
        }
        else if (Low != 0 || High != 0)
        {
            throw new OpRuleException("a grid has a step and a zero") { Found = $"{Low} to {High} and no step" };
        }

        Conv2DGeometry geometry = GeometryOf(x, w);
        TensorType channels = new(DType.F32, [Statistics ? geometry.OutputChannels : 0]);
        return
        [
            new(DType.F32, [geometry.Batch, geometry.Height.Output, geometry.Width.Output, geometry.OutputChannels]), channels, channels,
        ];
    }

    public void Differentiate(GradientBuilder g)
    {
        Value? Given(int index) => g.Has(index) ? g.Input(index) : null;
        bool ofInput = Enumerable.Range(0, LogScale).Any(i => i != 1 && g.Wants(i));
        Node adjoint = g.AddNode(
            new NormalizedConvolutionGradient(this, ofInput, g.Wants(LogScale)),
            g.Gradient(0),
            g.Gradient(1),
            g.Gradient(2),
            g.Output(0),
            g.Output(1),
            g.Input(0),
            g.Input(1),
            Given(Gamma),
            Given(Gamma + 1),
            Given(Gamma + 2),
            Given(Gamma + 3),
            Given(LogScale),
            Given(Zero));
        for (int i = 0; i < Zero; i++)
        {
            if (g.Has(i) && g.Wants(i))
            {
                g.Give(i, adjoint.Outputs[i]);
            }
        }
    }

    public Kernel Prepare(KernelContext context) => Activation switch
    {
        FusedActivation.Relu => Prepare<ReluMask>(context),
        FusedActivation.Relu6 => Prepare<Relu6Mask>(context),
        FusedActivation.ReluN1To1 => Prepare<ReluN1To1Mask>(context),
        _ => Prepare<NoMask>(context),
    };

    /// <exception cref="OpRuleException">Channels and weights do not fit, or there is nothing to normalize over.</exception>
    internal Conv2DGeometry GeometryOf(Shape x, Shape w)
    {
        int channels = x[3];
        bool fits = Depthwise
            ? w[0] == 1 && w[3] == channels
            : w[3] > 0 && channels % w[3] == 0 && channels > 0 && w[0] % (channels / w[3]) == 0;
        Window height = SpatialRules.WindowOf(x[1], w[1], StrideH, DilationH, Padding);
        Window width = SpatialRules.WindowOf(x[2], w[2], StrideW, DilationW, Padding);
        Conv2DGeometry geometry = new(x[0], height, width, channels, Depthwise ? channels : w[0], Depthwise ? channels : fits ? channels / w[3] : 1);
        return fits && geometry.OutputLength > 0
            ? geometry
            : throw new OpRuleException("input and weights of a block do not fit, or give nothing") { Found = $"{x} and {w}" };
    }

    private Kernel Prepare<TActivation>(KernelContext context)
        where TActivation : struct, IActivationMask
    {
        bool normalizes = context.Has(Gamma);
        bool rounds = context.Has(LogScale);
        bool statistics = Statistics;
        LearnedFakeQuant grid = new(Low, High);
        BlockConvolution block = BlockConvolution.Create(GeometryOf(context.Input(0).Shape, context.Input(1).Shape), Depthwise);
        int channels = block.Geometry.InputChannels;
        int outputs = block.Geometry.OutputChannels;
        int width = ChannelLanes.WidthOf(channels);
        int outputWidth = ChannelLanes.WidthOf(outputs);
        Scratch lines = context.Reserve(2 * sizeof(float) * (long)width);
        Scratch normalized = context.Reserve(normalizes || rounds ? sizeof(float) * (long)block.InputElements : 0, perWorker: true);
        Scratch lent = context.Reserve(block.ForwardScratch, perWorker: true);
        Scratch pivots = context.Reserve(sizeof(float) * (long)outputWidth, perWorker: true);
        Scratch wide = context.Reserve(2 * sizeof(double) * (long)outputWidth, perWorker: true);
        Scratch moments = context.Reserve(3 * sizeof(double) * (long)outputs * block.Pieces);
        Scratch totals = context.Reserve(2 * sizeof(double) * (long)outputs);
        float epsilon = Epsilon;

        Action<int, int> body = (piece, worker) =>
        {
            ReadOnlySpan<float> x = context.In<float>(0).Slice(piece * block.InputElements, block.InputElements);
            Span<float> y = context.Out<float>(0).Slice(piece * block.OutputElements, block.OutputElements);
            if (normalizes)
            {
                Span<float> line = lines.Span<float>();
                Span<float> a = normalized.Span<float>(worker);
                ChannelLanes.Apply<TActivation>(x, line[..width], line.Slice(width, width), a);
                x = a[..block.InputElements];
            }

            if (rounds)
            {
                (float scale, float low, float high) = grid.Grid(context.In<float>(LogScale)[0], context.In<float>(Zero)[0]);
                Span<float> a = normalized.Span<float>(worker)[..block.InputElements];
                LearnedFakeQuant.Round(x, a, scale, low, high);
                x = a;
            }

            block.Run(x, y, lent.Bytes(worker));
            if (!statistics)
            {
                return;
            }

            Span<float> pivot = pivots.Span<float>(worker)[..outputWidth];
            Span<double> sums = wide.Span<double>(worker)[..outputWidth];
            Span<double> squares = wide.Span<double>(worker).Slice(outputWidth, outputWidth);
            y[..outputs].CopyTo(pivot);
            ChannelLanes.Repeat(pivot, outputs);
            ChannelLanes.Moments(y, pivot, sums, squares);
            Span<double> mine = moments.Span<double>().Slice(3 * outputs * piece, 3 * outputs);
            ChannelLanes.Fold(sums, mine[..outputs]);
            ChannelLanes.Fold(squares, mine.Slice(outputs, outputs));
            for (int c = 0; c < outputs; c++)
            {
                mine[(2 * outputs) + c] = pivot[c];
            }
        };
        return () =>
        {
            if (normalizes)
            {
                Span<float> scales = lines.Span<float>()[..width];
                Span<float> shifts = lines.Span<float>().Slice(width, width);
                BatchNormalization.Lines(
                    context.In<float>(Gamma)[..channels],
                    context.In<float>(Gamma + 1),
                    context.In<float>(Gamma + 2),
                    context.In<float>(Gamma + 3),
                    epsilon,
                    scales,
                    shifts);
                ChannelLanes.Repeat(scales, channels);
                ChannelLanes.Repeat(shifts, channels);
            }

            block.Load(context.In<float>(1));
            context.Workers.Run(block.Pieces, body);
            if (statistics)
            {
                Combine(moments.Span<double>(), block.Pieces, block.OutputRows, totals.Span<double>(), context.Out<float>(1), context.Out<float>(2));
            }
        };
    }

    /// <summary>Mean and variance of all pieces from the sums of each.</summary>
    /// <param name="moments">For each piece and channel the sums of <c>y - pivot</c> and of its square, and the pivot.</param>
    /// <param name="rows">Elements of a channel in each piece.</param>
    /// <param name="totals">Room for two numbers of each channel.</param>
    private static void Combine(
        ReadOnlySpan<double> moments, int pieces, int rows, Span<double> totals, Span<float> means, Span<float> variances)
    {
        int channels = means.Length;
        Span<double> mean = totals[..channels];
        Span<double> spread = totals.Slice(channels, channels);
        totals[..(2 * channels)].Clear();
        for (int piece = 0; piece < pieces; piece++)
        {
            ReadOnlySpan<double> part = moments.Slice(3 * channels * piece, 3 * channels);
            Fold(part[..channels], part.Slice(channels, channels), part.Slice(2 * channels, channels), piece, rows, mean, spread);
        }

        for (int c = 0; c < channels; c++)
        {
            means[c] = (float)mean[c];
            variances[c] = (float)(spread[c] / ((double)rows * pieces));
        }
    }

    /// <summary>Adds a piece to mean and spread of those before it.</summary>
    private static void Fold(
        ReadOnlySpan<double> sums, ReadOnlySpan<double> squares, ReadOnlySpan<double> pivots, int piece, int rows, Span<double> mean, Span<double> spread)
    {
        double weight = (double)rows * piece;
        int c = 0;
        for (; c <= sums.Length - Vector256<double>.Count; c += Vector256<double>.Count)
        {
            Vector256<double> sum = Vector256.Create(sums[c..]);
            Vector256<double> offset = sum / Vector256.Create((double)rows);
            Vector256<double> before = Vector256.Create<double>(mean[c..]);
            Vector256<double> difference = Vector256.Create(pivots[c..]) + offset - before;
            (before + (difference / Vector256.Create(piece + 1.0))).CopyTo(mean[c..]);
            Vector256<double> within = Vector256.Max(Vector256<double>.Zero, Vector256.Create(squares[c..]) - (sum * offset));
            (Vector256.Create<double>(spread[c..]) + (within + (difference * difference * weight / Vector256.Create(piece + 1.0)))).CopyTo(spread[c..]);
        }

        for (; c < sums.Length; c++)
        {
            double offset = sums[c] / rows;
            double difference = pivots[c] + offset - mean[c];
            mean[c] += difference / (piece + 1);
            spread[c] += Math.Max(0, squares[c] - (sums[c] * offset)) + (difference * difference * weight / (piece + 1));
        }
    }
}
