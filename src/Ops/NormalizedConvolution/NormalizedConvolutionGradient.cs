using System.Collections.Immutable;
using System.Numerics.Tensors;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Gradient of <see cref="NormalizedConvolution"/> with regard to all of its operands, in one pass over memory.</summary>
/// <param name="Forward">The forward op.</param>
/// <param name="OfInput">False when x is no one's result: dx and the gradients of the vectors are then empty.</param>
/// <remarks>
/// <para>Shape: <c>dy [N, OH, OW, O], dmean [O], dvariance [O], y [N, OH, OW, O], y_mean [O]</c>, then the operands of the forward op
/// <c>-> dx [N, H, W, C], dw, dgamma [C], dbeta [C], dx_mean [C], dx_variance [C]</c>; without normalization of the input the four vectors are
/// empty.</para>
/// <para>Types: f32. With n elements in a channel of y, the whole gradient of y is
/// <c>g = dy + dmean / n + dvariance 2 (y - y_mean) / n</c>. For each piece of the batch the normalized input a and g are made anew in the
/// cache; g and a give dw, w and g give da; where the activation has slope 1 it is dz, else 0. Then
/// <c>dx = scale dz</c>, <c>dbeta = sum dz</c>, <c>dgamma = i sum dz (x - mean)</c>, <c>dmean = -scale dbeta</c>, <c>dvariance = -scale i dgamma / 2</c>
/// with <c>i = 1 / sqrt(variance + epsilon)</c> and <c>scale = gamma i</c>.</para>
/// </remarks>
public sealed record NormalizedConvolutionGradient(NormalizedConvolution Forward, bool OfInput) : IOp<NormalizedConvolutionGradient>, IOverwriting
{
    private const int X = 5;
    private const int W = 6;
    private const int Gamma = 7;

    public static OpSchema Declaration { get; } = new(
        "normalized_convolution_gradient",
        ["dy", "dmean", "dvariance", "y", "y_mean", "x", "w", "gamma?", "beta?", "mean?", "variance?"],
        ["dx", "dw", "dgamma", "dbeta", "dx_mean", "dx_variance"])
    {
        Kernels = KernelTypes.F32,
    };

    public static NormalizedConvolutionGradient Parse(AttributeReader attributes) =>
        new(NormalizedConvolution.Parse(attributes), attributes.Bool("of_input"));

    public void Describe(AttributeWriter attributes)
    {
        Forward.Describe(attributes);
        attributes.Add("of_input", OfInput);
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        Shape x = operands.Require(X, DType.F32).Shape;
        Shape w = operands.Require(W, DType.F32).Shape;
        ImmutableArray<TensorType> results = Forward.InferTypes(operands.Has(Gamma)
            ? new(operands[X], operands[W], operands[Gamma], operands[Gamma + 1], operands[Gamma + 2], operands[Gamma + 3])
            : new(operands[X], operands[W]));
        foreach ((int index, int result) in new[] { (0, 0), (1, 1), (2, 2), (3, 0), (4, 1) })
        {
            Dimensions.Agree(operands.Require(index, DType.F32).Shape, results[result].Shape, "a gradient and its value");
        }

        TensorType vector = new(DType.F32, [OfInput && operands.Has(Gamma) ? x[3] : 0]);
        return [new(DType.F32, OfInput ? x : [0]), new(DType.F32, w), vector, vector, vector, vector];
    }

    public Kernel Prepare(KernelContext context) => Forward.Activation switch
    {
        FusedActivation.Relu => new Work<ReluMask>(context, this).Run,
        FusedActivation.Relu6 => new Work<Relu6Mask>(context, this).Run,
        FusedActivation.ReluN1To1 => new Work<ReluN1To1Mask>(context, this).Run,
        _ => new Work<NoMask>(context, this).Run,
    };

    private sealed class Work<TActivation>
        where TActivation : struct, IActivationMask
    {
        private readonly KernelContext _context;
        private readonly float _epsilon;
        private readonly bool _ofInput;
        private readonly bool _normalizes;
        private readonly BlockConvolution _block;
        private readonly int _channels;
        private readonly int _outputs;
        private readonly int _width;
        private readonly int _outputWidth;
        private readonly int _weights;
        private readonly Scratch _lines;
        private readonly Scratch _outputLines;
        private readonly Scratch _normalized;
        private readonly Scratch _gradient;
        private readonly Scratch _lent;
        private readonly Scratch _wide;
        private readonly Scratch _sums;
        private readonly Scratch _partials;
        private readonly Action<int, int> _slot;
        private readonly Action<int, int> _reduce;

        public Work(KernelContext context, NormalizedConvolutionGradient op)
        {
            _context = context;
            _epsilon = op.Forward.Epsilon;
            _ofInput = op.OfInput;
            _normalizes = context.Has(Gamma);
            _block = BlockConvolution.Create(op.Forward.GeometryOf(context.Input(X).Shape, context.Input(W).Shape), op.Forward.Depthwise);
            _channels = _block.Geometry.InputChannels;
            _outputs = _block.Geometry.OutputChannels;
            _width = ChannelLanes.WidthOf(_channels);
            _outputWidth = ChannelLanes.WidthOf(_outputs);
            _weights = checked((int)_block.Geometry.WeightLength);
            int slots = _block.Slots.Slots;
            _lines = context.Reserve(3 * sizeof(float) * (long)_width);
            _outputLines = context.Reserve(2 * sizeof(float) * (long)_outputWidth);
            _normalized = context.Reserve(_normalizes ? sizeof(float) * (long)_block.InputElements : 0, perWorker: true);
            _gradient = context.Reserve(sizeof(float) * (long)_block.OutputElements, perWorker: true);
            _lent = context.Reserve(Math.Max(_block.WeightScratch, _ofInput ? _block.InputScratch : 0), perWorker: true);
            _wide = context.Reserve(2 * sizeof(double) * (long)_width, perWorker: true);
            _sums = context.Reserve(2 * sizeof(double) * (long)_channels * slots);
            _partials = context.Reserve(sizeof(float) * (long)_weights * slots);
            _slot = Slot;
            _reduce = (part, _) => _block.Reduce(part, _partials.Span<float>(), _context.Out<float>(1));
        }

        public void Run()
        {
            PrepareLines();
            if (_ofInput)
            {
                _block.LoadGradient(_context.In<float>(W));
            }

            _context.Workers.Run(_block.Slots.Slots, _slot);
            _context.Workers.Run(_block.ReduceParts, _reduce);
            if (_ofInput && _normalizes)
            {
                Finish();
            }
        }

        private void PrepareLines()
        {
            double count = (double)_block.OutputRows * _block.Pieces;
            Span<float> slopes = _outputLines.Span<float>()[.._outputWidth];
            Span<float> constants = _outputLines.Span<float>().Slice(_outputWidth, _outputWidth);
            ReadOnlySpan<float> toMean = _context.In<float>(1);
            ReadOnlySpan<float> toVariance = _context.In<float>(2);
            ReadOnlySpan<float> outputMeans = _context.In<float>(4);
            for (int c = 0; c < _outputs; c++)
            {
                double slope = 2 * toVariance[c] / count;
                slopes[c] = (float)slope;
                constants[c] = (float)((toMean[c] / count) - (slope * outputMeans[c]));
            }

            ChannelLanes.Repeat(slopes, _outputs);
            ChannelLanes.Repeat(constants, _outputs);
            if (!_normalizes)
            {
                return;
            }

            Span<float> line = _lines.Span<float>();
            BatchNormalization.Lines(
                _context.In<float>(Gamma)[.._channels],
                _context.In<float>(Gamma + 1),
                _context.In<float>(Gamma + 2),
                _context.In<float>(Gamma + 3),
                _epsilon,
                line[.._width],
                line.Slice(_width, _width));
            _context.In<float>(Gamma + 2)[.._channels].CopyTo(line.Slice(2 * _width, _width));

            for (int at = 0; at < 3; at++)
            {
                ChannelLanes.Repeat(line.Slice(at * _width, _width), _channels);
            }
        }

        private void Slot(int slot, int worker)
        {
            Span<double> sums = _sums.Span<double>().Slice(2 * _channels * slot, 2 * _channels);
            sums.Clear();
            Span<float> partial = _partials.Span<float>().Slice(_weights * slot, _weights);
            (int first, int end) = _block.Slots.Range(slot);
            for (int piece = first; piece < end; piece++)
            {
                Piece(piece, worker, partial, sums, isFirst: piece == first);
            }
        }

        private void Piece(int piece, int worker, Span<float> partial, Span<double> sums, bool isFirst)
        {
            // Nothing is written to dx before dy of this piece is read: both may be the same memory.
            ReadOnlySpan<float> x = _context.In<float>(X).Slice(piece * _block.InputElements, _block.InputElements);
            System.Range outputs = (piece * _block.OutputElements)..((piece + 1) * _block.OutputElements);
            Span<float> gradient = _gradient.Span<float>(worker)[.._block.OutputElements];
            Span<float> outputLines = _outputLines.Span<float>();
            ChannelLanes.AddLine(
                _context.In<float>(0)[outputs],
                _context.In<float>(3)[outputs],
                outputLines[.._outputWidth],
                outputLines.Slice(_outputWidth, _outputWidth),
                gradient);
            Span<float> line = _lines.Span<float>();
            ReadOnlySpan<float> a = x;
            if (_normalizes)
            {
                Span<float> normalized = _normalized.Span<float>(worker)[.._block.InputElements];
                ChannelLanes.Apply<TActivation>(x, line[.._width], line.Slice(_width, _width), normalized);
                a = normalized;
            }

            _block.AddWeightGradient(a, gradient, partial, _lent.Bytes(worker), isFirst);
            if (!_ofInput)
            {
                return;
            }

            Span<float> dx = _context.Out<float>(0).Slice(piece * _block.InputElements, _block.InputElements);
            _block.InputGradient(gradient, dx, _lent.Bytes(worker));
            if (_normalizes)
            {
                Span<double> wide = _wide.Span<double>(worker);
                ChannelLanes.Through<TActivation>(dx, x, line, wide[.._width], wide.Slice(_width, _width), dx);
                ChannelLanes.FoldInto(wide[.._width], sums[.._channels]);
                ChannelLanes.FoldInto(wide.Slice(_width, _width), sums[_channels..]);
            }
        }

        private void Finish()
        {
            Span<double> sums = _sums.Span<double>();
            int length = 2 * _channels;
            for (int slot = 1; slot < _block.Slots.Slots; slot++)
            {
                TensorPrimitives.Add(sums[..length], sums.Slice(slot * length, length), sums[..length]);
            }

            ReadOnlySpan<float> gammas = _context.In<float>(Gamma);
            ReadOnlySpan<float> variances = _context.In<float>(Gamma + 3);
            Span<float> toGamma = _context.Out<float>(2);
            Span<float> toBeta = _context.Out<float>(3);
            Span<float> toMean = _context.Out<float>(4);
            Span<float> toVariance = _context.Out<float>(5);
            for (int c = 0; c < _channels; c++)
            {
                double inverse = 1 / Math.Sqrt((double)variances[c] + _epsilon);
                double scale = gammas[c] * inverse;
                double along = sums[_channels + c] * inverse;
                toGamma[c] = (float)along;
                toBeta[c] = (float)sums[c];
                toMean[c] = (float)(-scale * sums[c]);
                toVariance[c] = (float)(-scale * inverse * along / 2);
            }
        }
    }
}
