using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>The convolution of a block, dense or depthwise, over pieces of a batch that stay in the cache.</summary>
/// <param name="Geometry">Of one piece.</param>
/// <param name="Pieces">Pieces of the batch, all of the same number of samples.</param>
internal abstract record BlockConvolution(Conv2DGeometry Geometry, int Pieces)
{
    // A float tensor of a piece takes up to 64 KB, so that all five or six of a block fit the second-level cache.
    private const int ElementsPerPiece = 16384;

    /// <summary>How pieces make up slots of partial sums.</summary>
    public PartialSums Slots => new(Pieces);

    public int InputElements => (int)Geometry.InputLength;

    public int OutputElements => (int)Geometry.OutputLength;

    /// <summary>Rows of input channels in a piece.</summary>
    public int InputRows => InputElements / Geometry.InputChannels;

    /// <summary>Rows of output channels in a piece.</summary>
    public int OutputRows => OutputElements / Geometry.OutputChannels;

    public abstract int ForwardScratch { get; }

    public abstract int WeightScratch { get; }

    public abstract int InputScratch { get; }

    /// <summary>Cuts a batch into pieces.</summary>
    /// <param name="whole">Geometry for the whole batch.</param>
    public static BlockConvolution Create(Conv2DGeometry whole, bool depthwise)
    {
        int batch = whole.Batch;
        long sample = Math.Max(1, Math.Max(whole.InputLength, whole.OutputLength) / Math.Max(1, batch));
        int most = (int)Math.Clamp(ElementsPerPiece / sample, 1, Math.Max(1, batch));
        while (batch % most != 0)
        {
            most--;
        }

        Conv2DGeometry piece = whole with { Batch = most };
        return depthwise ? new Depthwise(piece, batch / most) : new Dense(piece, batch / most);
    }

    /// <summary>Takes over the weights for <see cref="Run"/>.</summary>
    public abstract void Load(ReadOnlySpan<float> w);

    public abstract void Run(ReadOnlySpan<float> x, Span<float> y, Span<byte> scratch);

    /// <summary>Takes over the weights for <see cref="InputGradient"/>.</summary>
    public abstract void LoadGradient(ReadOnlySpan<float> w);

    public abstract void InputGradient(ReadOnlySpan<float> dy, Span<float> dx, Span<byte> scratch);

    /// <summary>Adds the weight gradient of a piece to the partial sum of a slot.</summary>
    public abstract void AddWeightGradient(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sums, Span<byte> scratch, bool first);

    /// <summary>Independent parts of <see cref="Reduce"/>.</summary>
    public abstract int ReduceParts { get; }

    /// <summary>Adds up the partial sums of all slots, for a part of the weights.</summary>
    public abstract void Reduce(int part, Span<float> partials, Span<float> dw);

    private sealed record Dense(Conv2DGeometry Geometry, int Pieces) : BlockConvolution(Geometry, Pieces)
    {
        private readonly PreparedConv2D _forward = new(Geometry);
        private readonly Lazy<PreparedConv2DInputGradient> _input = new(() => new(Geometry));
        private readonly Lazy<PreparedConv2DWeightGradient> _weights = new(() => new(Geometry, new PartialSums(Pieces)));

        public override int ForwardScratch => _forward.ScratchBytes;

        public override int WeightScratch => _weights.Value.ScratchBytes;

        public override int InputScratch => _input.Value.ScratchBytes;

        public override void Load(ReadOnlySpan<float> w) => _forward.Load(w, []);

        public override void Run(ReadOnlySpan<float> x, Span<float> y, Span<byte> scratch) => _forward.Run(x, y, scratch);

        public override void LoadGradient(ReadOnlySpan<float> w) => _input.Value.Load(w);

        public override void InputGradient(ReadOnlySpan<float> dy, Span<float> dx, Span<byte> scratch)
        {
            for (int chunk = 0; chunk < _input.Value.ChunkCount; chunk++)
            {
                _input.Value.RunChunk(chunk, dy, dx, scratch);
            }
        }

        public override void AddWeightGradient(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sums, Span<byte> scratch, bool first) =>
            _weights.Value.Accumulate(x, dy, sums, scratch, first);

        public override int ReduceParts => _weights.Value.PartCount;

        public override void Reduce(int part, Span<float> partials, Span<float> dw) => _weights.Value.Reduce(part, partials, dw);
    }

    private sealed record Depthwise(Conv2DGeometry Geometry, int Pieces) : BlockConvolution(Geometry, Pieces)
    {
        private readonly PreparedDepthwiseConv2D _forward = new(Geometry);
        private readonly Lazy<PreparedDepthwiseConv2DInputGradient> _input = new(() => new(Geometry));
        private readonly Lazy<PreparedDepthwiseConv2DWeightGradient> _weights = new(() => new(Geometry, new PartialSums(Pieces)));

        public override int ForwardScratch => _forward.ScratchBytes;

        public override int WeightScratch => _weights.Value.ScratchBytes;

        public override int InputScratch => _input.Value.ScratchBytes;

        public override void Load(ReadOnlySpan<float> w) => _forward.Load(w, []);

        public override void Run(ReadOnlySpan<float> x, Span<float> y, Span<byte> scratch) => _forward.Run(x, y, scratch);

        public override void LoadGradient(ReadOnlySpan<float> w) => _input.Value.Load(w);

        public override void InputGradient(ReadOnlySpan<float> dy, Span<float> dx, Span<byte> scratch)
        {
            for (int chunk = 0; chunk < _input.Value.ChunkCount; chunk++)
            {
                _input.Value.RunChunk(chunk, dy, dx, scratch);
            }
        }

        public override void AddWeightGradient(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sums, Span<byte> scratch, bool first) =>
            _weights.Value.Accumulate(x, dy, sums, scratch, first);

        public override int ReduceParts => 1;

        public override void Reduce(int part, Span<float> partials, Span<float> dw) => _weights.Value.Reduce(partials, dw);
    }
}
