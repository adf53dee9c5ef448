namespace Optc.Formats.EthosU;

/// <summary>Puts OHWI weights into the order in which the hardware reads them, with zeros where a block is not full.</summary>
/// <remarks>
/// Source: the weight traversal of Arm's open compiler Vela. Outer to inner: OFM blocks, IFM blocks, sub-kernels, then (part-kernel-first) IFM
/// micro-blocks, OFM micro-blocks, kernel elements, (depth-first) IFM micro-blocks, OFM channels, IFM channels.
/// </remarks>
public static class WeightReordering
{
    /// <summary>Weights after the reordering, with the padding.</summary>
    /// <exception cref="ArgumentException">A length of shape or options is not positive, or too large; or the weights are more than an array holds.</exception>
    public static int CountReordered(WeightShape shape, TraversalOptions options)
    {
        Require(shape, options);
        bool isDepthwise = options.Traversal == WeightTraversal.Depthwise;
        bool isPart = options.Traversal == WeightTraversal.PartKernelFirst;
        (long inputBlocks, long lastInputs) = Math.DivRem((long)shape.InputChannels, options.InputBlockDepth);
        long wholeDepth = RoundUp(options.InputBlockDepth, options.InputMicroBlockDepth);
        long inputs = isDepthwise ? 1
            : (inputBlocks * wholeDepth) + (lastInputs == 0 ? 0 : isPart ? RoundUp(lastInputs, options.InputMicroBlockDepth) : wholeDepth);
        (long outputBlocks, long lastOutputs) = Math.DivRem((long)shape.OutputChannels, options.OutputBlockDepth);
        long outputs = (outputBlocks * RoundUp(options.OutputBlockDepth, options.OutputMicroBlockDepth)) + RoundUp(lastOutputs, options.OutputMicroBlockDepth);

        // Sub-kernels of at most four sizes: whole ones, those of the last row and column, and the last one.
        int unit = ElementUnit(options);
        (long rows, long lastRows) = Math.DivRem((long)shape.KernelHeight, options.SubKernelHeight);
        (long columns, long lastColumns) = Math.DivRem((long)shape.KernelWidth, options.SubKernelWidth);
        (long height, long width) = (options.SubKernelHeight, options.SubKernelWidth);
        Int128 elements = (rows * columns * (Int128)RoundUp(height * width, unit)) + (rows * RoundUp(height * lastColumns, unit))
            + (columns * RoundUp(lastRows * width, unit)) + RoundUp(lastRows * lastColumns, unit);
        Int128 count = elements * inputs * outputs;
        return count <= Array.MaxLength
            ? (int)count
            : throw new ArgumentException($"{shape} makes {count} weights, more than an array holds.", nameof(shape));
    }

    /// <summary>The weights in the order of the stream.</summary>
    /// <param name="weights">OHWI, <see cref="WeightShape.Count"/> elements, zero point taken off.</param>
    /// <exception cref="ArgumentException">
    /// A length of shape or options is not positive or too large, or <paramref name="weights"/> has another length than the shape.
    /// </exception>
    public static short[] Reorder(ReadOnlySpan<short> weights, WeightShape shape, TraversalOptions options)
    {
        int count = CountReordered(shape, options);
        if (weights.Length != shape.Count)
        {
            throw new ArgumentException($"{weights.Length} weights do not fill {shape}.", nameof(weights));
        }

        short[] reordered = new short[count];
        Copier copier = new(weights, reordered, shape);
        Visit(shape, options, ref copier);
        return reordered;
    }

    /// <summary>Puts weights of the order of the stream back into OHWI: the inverse of <see cref="Reorder"/>.</summary>
    /// <param name="reordered"><see cref="CountReordered"/> elements.</param>
    /// <param name="weights">OHWI, <see cref="WeightShape.Count"/> elements, all of which are written.</param>
    /// <returns>The place of the first padding that is not zero; -1 if all of it is.</returns>
    /// <exception cref="ArgumentException">
    /// A length of shape or options is not positive or too large, or the spans have other lengths than these.
    /// </exception>
    public static int Restore(ReadOnlySpan<short> reordered, WeightShape shape, TraversalOptions options, Span<short> weights)
    {
        if (reordered.Length != CountReordered(shape, options) || weights.Length != shape.Count)
        {
            throw new ArgumentException($"{reordered.Length} weights of a stream do not fill {shape}.", nameof(reordered));
        }

        Restorer restorer = new(reordered, weights, shape);
        Visit(shape, options, ref restorer);
        return restorer.Stray;
    }

    private static long RoundUp(long value, long multiple) => (value + multiple - 1) / multiple * multiple;

    private static int ElementUnit(TraversalOptions options) => options.Traversal switch
    {
        WeightTraversal.Depthwise => 4,
        WeightTraversal.PartKernelFirst => options.InputBits == 16 ? 2 : 4,
        _ => 1,
    };

    private static void Visit<TVisitor>(WeightShape shape, TraversalOptions options, ref TVisitor visitor)
        where TVisitor : IVisitor, allows ref struct
    {
        Require(shape, options);
        bool isDepthwise = options.Traversal == WeightTraversal.Depthwise;
        bool isPart = options.Traversal == WeightTraversal.PartKernelFirst;
        int inputUnit = options.InputMicroBlockDepth;
        int outputUnit = options.OutputMicroBlockDepth;
        int inputs = isDepthwise ? 1 : shape.InputChannels;
        int inputBlock = options.InputBlockDepth;
        int elementUnit = ElementUnit(options);
        for (int outputAt = 0; outputAt < shape.OutputChannels; outputAt += options.OutputBlockDepth)
        {
            int outputs = Math.Min(options.OutputBlockDepth, shape.OutputChannels - outputAt);
            for (int inputAt = 0; inputAt < inputs; inputAt += inputBlock)
            {
                int depth = isDepthwise ? inputUnit : isPart ? Math.Min(inputBlock, inputs - inputAt) : inputBlock;
                for (int row = 0; row < shape.KernelHeight; row += options.SubKernelHeight)
                {
                    int rows = Math.Min(options.SubKernelHeight, shape.KernelHeight - row);
                    for (int column = 0; column < shape.KernelWidth; column += options.SubKernelWidth)
                    {
                        int columns = Math.Min(options.SubKernelWidth, shape.KernelWidth - column);
                        int elements = ((rows * columns) + elementUnit - 1) / elementUnit * elementUnit;
                        for (int part = 0; part < (isPart ? depth : 1); part += inputUnit)
                        {
                            for (int output = 0; output < outputs; output += outputUnit)
                            {
                                for (int element = 0; element < elements; element++)
                                {
                                    int y = element < rows * columns ? row + (element / columns) : -1;
                                    int x = column + (element % columns);
                                    for (int input = 0; input < (isPart ? 1 : depth); input += inputUnit)
                                    {
                                        MicroBlock block = new(
                                            outputAt + output, outputUnit, y, x, inputAt + part + input, isDepthwise ? 1 : inputUnit);
                                        visitor.Visit(block);
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private static void Require(WeightShape shape, TraversalOptions options)
    {
        ReadOnlySpan<int> lengths =
        [
            shape.OutputChannels, shape.KernelHeight, shape.KernelWidth, shape.InputChannels, options.OutputBlockDepth,
            options.OutputMicroBlockDepth, options.InputMicroBlockDepth, options.SubKernelHeight, options.SubKernelWidth,
        ];
        if (lengths.IndexOfAnyExceptInRange(1, 1 << 20) >= 0)
        {
            throw new ArgumentException($"{shape} with {options} is no shape of weights that can be reordered.", nameof(shape));
        }

        if (options.Traversal == WeightTraversal.Depthwise && shape.InputChannels != 1)
        {
            throw new ArgumentException($"Depthwise weights have one IFM channel, not {shape.InputChannels}.", nameof(shape));
        }

        if (options.InputBits is not (8 or 16))
        {
            throw new ArgumentException($"An IFM element has 8 or 16 bits, not {options.InputBits}.", nameof(options));
        }
    }

    private interface IVisitor
    {
        void Visit(MicroBlock block);
    }

    /// <summary>OFM and IFM channels of one kernel element.</summary>
    /// <param name="Y">Kernel row; -1 for padding.</param>
    private readonly record struct MicroBlock(int Output, int Outputs, int Y, int X, int Input, int Inputs);

    private ref struct Copier(ReadOnlySpan<short> weights, Span<short> reordered, WeightShape shape) : IVisitor
    {
        private readonly ReadOnlySpan<short> _weights = weights;
        private Span<short> _rest = reordered;

        public void Visit(MicroBlock block)
        {
            int inputs = Math.Clamp(shape.InputChannels - block.Input, 0, block.Inputs);
            for (int output = block.Output; output < block.Output + block.Outputs; output++)
            {
                if (block.Y >= 0 && inputs > 0 && output < shape.OutputChannels)
                {
                    int start = ((((output * shape.KernelHeight) + block.Y) * shape.KernelWidth) + block.X) * shape.InputChannels;
                    _weights.Slice(start + block.Input, inputs).CopyTo(_rest);
                }

                _rest = _rest[block.Inputs..];
            }
        }
    }

    private ref struct Restorer(ReadOnlySpan<short> reordered, Span<short> weights, WeightShape shape) : IVisitor
    {
        private readonly ReadOnlySpan<short> _reordered = reordered;
        private readonly Span<short> _weights = weights;
        private int _at;

        public int Stray { get; private set; } = -1;

        public void Visit(MicroBlock block)
        {
            int inputs = Math.Clamp(shape.InputChannels - block.Input, 0, block.Inputs);
            for (int output = block.Output; output < block.Output + block.Outputs; output++)
            {
                int taken = 0;
                if (block.Y >= 0 && inputs > 0 && output < shape.OutputChannels)
                {
                    int start = ((((output * shape.KernelHeight) + block.Y) * shape.KernelWidth) + block.X) * shape.InputChannels;
                    _reordered.Slice(_at, inputs).CopyTo(_weights[(start + block.Input)..]);
                    taken = inputs;
                }

                int stray = _reordered.Slice(_at + taken, block.Inputs - taken).IndexOfAnyExcept((short)0);
                Stray = Stray < 0 && stray >= 0 ? _at + taken + stray : Stray;
                _at += block.Inputs;
            }
        }
    }
}
