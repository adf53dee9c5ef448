using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Gradient of <see cref="NormalizedConvolution"/> with regard to all of its operands, in one pass over memory.</summary>
/// <param name="Forward">The forward op.</param>
/// <param name="OfInput">False when x is no one's result: dx and the gradients of the vectors are then empty.</param>
/// <param name="OfStep">True when the step of the grid is trained; else its gradient is empty.</param>
/// <remarks>
/// <para>Shape: <c>dy [N, OH, OW, O], dmean [O], dvariance [O], y [N, OH, OW, O], y_mean [O]</c>, then the operands of the forward op
/// <c>-> dx [N, H, W, C], dw, dgamma [C], dbeta [C], dx_mean [C], dx_variance [C], dlog_scale []</c>; without normalization of the input the four
/// vectors are empty.</para>
/// <para>Types: f32. With n elements in a channel of y, the whole gradient of y is
/// <c>g = dy + dmean / n + dvariance 2 (y - y_mean) / n</c>, or dy where the forward op takes no statistics. For each piece of the batch the normalized input a and g are made anew in the
/// cache; g and a give dw, w and g give da, of which <see cref="LearnedFakeQuantGradient"/> leaves what lies inside of the grid; where the
/// activation has slope 1 it is dz, else 0. Then
/// <c>dx = scale dz</c>, <c>dbeta = sum dz</c>, <c>dgamma = i sum dz (x - mean)</c>, <c>dmean = -scale dbeta</c>, <c>dvariance = -scale i dgamma / 2</c>
/// with <c>i = 1 / sqrt(variance + epsilon)</c> and <c>scale = gamma i</c>. Where nobody needs dx, the gradient of the step is <c>sum g (w * e)</c> instead of <c>sum da e</c>, e the slope of
/// the rounded input along the step: for an input of few channels a convolution takes a small part of the time of its adjoint.</para>
/// </remarks>
public sealed record NormalizedConvolutionGradient(NormalizedConvolution Forward, bool OfInput, bool OfStep = false) : IOp<NormalizedConvolutionGradient>, IOverwriting
{
    private const int X = 5;
    private const int W = 6;
    private const int Gamma = 7;
    private const int LogScale = 11;
    private const int Zero = 12;

    public static OpSchema Declaration { get; } = new(
        "normalized_convolution_gradient",
        ["dy", "dmean", "dvariance", "y", "y_mean", "x", "w", "gamma?", "beta?", "mean?", "variance?", "log_scale?", "zero?"],
        ["dx", "dw", "dgamma", "dbeta", "dx_mean", "dx_variance", "dlog_scale"])
    {
        Kernels = KernelTypes.F32,
    };

    public static NormalizedConvolutionGradient Parse(AttributeReader attributes) =>
        new(NormalizedConvolution.Parse(attributes), attributes.Bool("of_input"), attributes.Bool("of_step"));

    public void Describe(AttributeWriter attributes)
    {
        Forward.Describe(attributes);
        attributes.Add("of_input", OfInput).Add("of_step", OfStep);
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        Shape x = operands.Require(X, DType.F32).Shape;
        Shape w = operands.Require(W, DType.F32).Shape;
        ImmutableArray<TensorType> results = Forward.InferTypes(
            new([.. Enumerable.Range(X, Zero - X + 1).Select(i => operands.Has(i) ? operands[i] : null)]));
        foreach ((int index, int result) in new[] { (0, 0), (1, 1), (2, 2), (3, 0), (4, 1) })
        {
            Dimensions.Agree(operands.Require(index, DType.F32).Shape, results[result].Shape, "a gradient and its value");
        }

        TensorType vector = new(DType.F32, [OfInput && operands.Has(Gamma) ? x[3] : 0]);
        return [new(DType.F32, OfInput ? x : [0]), new(DType.F32, w), vector, vector, vector, vector, new(DType.F32, OfStep ? operands[LogScale].Shape : [0])];
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
        private readonly bool _ofStep;
        private readonly bool _statistics;
        private readonly bool _normalizes;
        private readonly bool _rounds;
        private readonly LearnedFakeQuant _grid;
        private readonly BlockConvolution _block;
        private readonly int _channels;
        private readonly int _outputs;
        private readonly int _width;
        private readonly int _outputWidth;
        private readonly int _weights;
        private readonly Scratch _lines;
        private readonly Scratch _outputLines;
        private readonly Scratch _normalized;
        private readonly Scratch _rounded;
        private readonly Scratch _slopes;
        private readonly Scratch _gradient;
        private readonly Scratch _lent;
        private readonly Scratch _wide;
        private readonly Scratch _sums;
        private readonly Scratch _stepSums;
        private readonly Scratch _partials;
        private readonly Action<int, int> _slot;
        private readonly Action<int, int> _reduce;

        public Work(KernelContext context, NormalizedConvolutionGradient op)
        {
            _context = context;
            _epsilon = op.Forward.Epsilon;
            _ofInput = op.OfInput;
            _ofStep = op.OfStep;
            _statistics = op.Forward.Statistics;
            _normalizes = context.Has(Gamma);
            _rounds = context.Has(LogScale);
            _grid = new(op.Forward.Low, op.Forward.High);
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
            _rounded = context.Reserve(_rounds ? sizeof(float) * (long)_block.InputElements : 0, perWorker: true);
            _slopes = context.Reserve(SlopesOnly ? sizeof(float) * (long)_block.OutputElements : 0, perWorker: true);
            _gradient = context.Reserve(sizeof(float) * (long)_block.OutputElements, perWorker: true);
            _lent = context.Reserve(
                Math.Max(_block.WeightScratch, _ofInput ? _block.InputScratch : SlopesOnly ? _block.ForwardScratch : 0), perWorker: true);
            _wide = context.Reserve(2 * sizeof(double) * (long)_width, perWorker: true);
            _sums = context.Reserve(2 * sizeof(double) * (long)_channels * slots);
            _stepSums = context.Reserve(sizeof(double) * (long)slots);
            _partials = context.Reserve(sizeof(float) * (long)_weights * slots);
            _slot = Slot;
            _reduce = (part, _) => _block.Reduce(part, _partials.Span<float>(), _context.Out<float>(1));
        }

        private bool SlopesOnly => _ofStep && !_ofInput;

        public void Run()
        {
            PrepareLines();
            if (_ofInput)
            {
                _block.LoadGradient(_context.In<float>(W));
            }
            else if (_ofStep)
            {
                _block.Load(_context.In<float>(W));
            }

            _context.Workers.Run(_block.Slots.Slots, _slot);
            _context.Workers.Run(_block.ReduceParts, _reduce);
            if (_ofInput && _normalizes)
            {
                Finish();
            }

            if (_ofStep)
            {
                double sum = 0;
                foreach (double part in _stepSums.Span<double>()[.._block.Slots.Slots])
                {
                    sum += part;
                }

                _context.Out<float>(6)[0] =
                    (float)(sum * LearnedFakeQuantGradient.Share((long)_block.InputElements * _block.Pieces, _grid.Low, _grid.High));
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
            for (int c = 0; _statistics && c < _outputs; c++)
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
            _stepSums.Span<double>()[slot] = 0;
            Span<float> partial = _partials.Span<float>().Slice(_weights * slot, _weights);
            (int first, int end) = _block.Slots.Range(slot);
            for (int piece = first; piece < end; piece++)
            {
                Piece(piece, worker, partial, sums, ref _stepSums.Span<double>()[slot], isFirst: piece == first);
            }
        }

        private void Piece(int piece, int worker, Span<float> partial, Span<double> sums, ref double stepSum, bool isFirst)
        {
            // Nothing is written to dx before dy of this piece is read: both may be the same memory.
            ReadOnlySpan<float> x = _context.In<float>(X).Slice(piece * _block.InputElements, _block.InputElements);
            System.Range outputs = (piece * _block.OutputElements)..((piece + 1) * _block.OutputElements);
            Span<float> gradient = _gradient.Span<float>(worker)[.._block.OutputElements];
            if (_statistics)
            {
                Span<float> outputLines = _outputLines.Span<float>();
                ChannelLanes.AddLine(
                    _context.In<float>(0)[outputs],
                    _context.In<float>(3)[outputs],
                    outputLines[.._outputWidth],
                    outputLines.Slice(_outputWidth, _outputWidth),
                    gradient);
            }
            else
            {
                _context.In<float>(0)[outputs].CopyTo(gradient);
            }

            Span<float> line = _lines.Span<float>();
            ReadOnlySpan<float> before = x;
            if (_normalizes)
            {
                Span<float> normalized = _normalized.Span<float>(worker)[.._block.InputElements];
                ChannelLanes.Apply<TActivation>(x, line[.._width], line.Slice(_width, _width), normalized);
                before = normalized;
            }

            (float scale, float low, float high) = _rounds ? _grid.Grid(_context.In<float>(LogScale)[0], _context.In<float>(Zero)[0]) : default;
            ReadOnlySpan<float> a = before;
            if (_rounds)
            {
                Span<float> rounded = _rounded.Span<float>(worker)[.._block.InputElements];
                LearnedFakeQuant.Round(before, rounded, scale, low, high);
                a = rounded;
            }

            _block.AddWeightGradient(a, gradient, partial, _lent.Bytes(worker), isFirst);
            if (!_ofInput)
            {
                if (_ofStep)
                {
                    Span<float> slopes = _rounded.Span<float>(worker)[.._block.InputElements];
                    Span<float> moved = _slopes.Span<float>(worker)[.._block.OutputElements];
                    LearnedFakeQuantGradient.Slopes(before, slopes, scale, low, high);
                    _block.Run(slopes, moved, _lent.Bytes(worker));
                    stepSum += Dot(moved, gradient);
                }

                return;
            }

            Span<float> dx = _context.Out<float>(0).Slice(piece * _block.InputElements, _block.InputElements);
            _block.InputGradient(gradient, dx, _lent.Bytes(worker));
            if (_rounds)
            {
                stepSum += LearnedFakeQuantGradient.Apply(dx, before, dx, scale, low, high);
            }

            if (_normalizes)
            {
                Span<double> wide = _wide.Span<double>(worker);
                ChannelLanes.Through<TActivation>(dx, x, line, wide[.._width], wide.Slice(_width, _width), dx);
                ChannelLanes.FoldInto(wide[.._width], sums[.._channels]);
                ChannelLanes.FoldInto(wide.Slice(_width, _width), sums[_channels..]);
            }
        }

        private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
        {
            double sum = 0;
            for (int start = 0; start < a.Length; start += LearnedFakeQuant.Chunk)
            {
                int count = Math.Min(LearnedFakeQuant.Chunk, a.Length - start);
                sum += DotChunk(a.Slice(start, count), b.Slice(start, count));
            }

            return sum;
        }

        private static double DotChunk(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
        {
            ref float first = ref MemoryMarshal.GetReference(a);
            ref float second = ref MemoryMarshal.GetReference(b);
            Vector256<float> total = Vector256<float>.Zero;
            int at = 0;
            for (; at <= a.Length - Vector256<float>.Count; at += Vector256<float>.Count)
            {
                total += Vector256.LoadUnsafe(ref first, (nuint)at) * Vector256.LoadUnsafe(ref second, (nuint)at);
            }

            double sum = Vector256.Sum(total);
            for (; at < a.Length; at++)
            {
                sum += a[at] * b[at];
            }

            return sum;
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
