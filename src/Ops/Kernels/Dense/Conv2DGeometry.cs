namespace Optc.Ops.Kernels;

/// <summary>The shapes of a 2-D convolution over <c>x [N, H, W, C]</c> with output <c>y [N, OH, OW, O]</c>.</summary>
/// <param name="Batch">N.</param>
/// <param name="Height">Window along H: kernel, stride, dilation, padding, input and output size.</param>
/// <param name="Width">Window along W.</param>
/// <param name="InputChannels">C.</param>
/// <param name="OutputChannels">O.</param>
/// <param name="Groups">
/// Output channel o reads the input channels of group <c>o / (O / Groups)</c>; weights are
/// <c>[O, KH, KW, C / Groups]</c>. A depthwise convolution has <c>Groups = C</c> and O = C * multiplier.
/// </param>
public sealed record Conv2DGeometry(
    int Batch, Window Height, Window Width, int InputChannels, int OutputChannels, int Groups = 1)
{
    /// <summary>A dense layer <c>x [M, K] -> y [M, N]</c> as a convolution over M pixels.</summary>
    public static Conv2DGeometry Dense(int m, int k, int n) =>
        new(1, Window.Valid(m, 1, 1), Window.Valid(1, 1, 1), k, n);

    public int GroupInputChannels => InputChannels / Groups;

    public int GroupOutputChannels => OutputChannels / Groups;

    /// <summary>Products of one output element: <c>KH * KW * C / Groups</c>.</summary>
    public int Depth => checked(Height.Kernel * Width.Kernel * GroupInputChannels);

    public long InputLength => (long)Batch * Height.Input * Width.Input * InputChannels;

    public long OutputLength => (long)Batch * Height.Output * Width.Output * OutputChannels;

    public long WeightLength => (long)OutputChannels * Depth;

    /// <summary>Multiplications of a run, padding included.</summary>
    public long Products => OutputLength * Depth;

    /// <summary>Checks the shapes before anything is addressed by pointer.</summary>
    /// <exception cref="ArgumentException">Channels are not positive or do not divide into the groups.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative or a tensor has more than 2^31 - 1 elements.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Batch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(InputChannels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(OutputChannels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Groups);
        if (InputChannels % Groups != 0 || OutputChannels % Groups != 0)
        {
            throw new ArgumentException(
                $"{InputChannels} input and {OutputChannels} output channels do not divide into {Groups} groups.");
        }

        RequireTensor(Batch, Height.Input, Width.Input, InputChannels);
        RequireTensor(Batch, Height.Output, Width.Output, OutputChannels);
        RequireTensor(OutputChannels, Height.Kernel, Width.Kernel, GroupInputChannels);
    }

    /// <inheritdoc cref="Validate"/>
    internal void ValidateDepthwise()
    {
        Validate();
        if (Groups != InputChannels)
        {
            throw new ArgumentException($"{Groups} groups over {InputChannels} channels are not depthwise.");
        }
    }

    private static void RequireTensor(int a, int b, int c, int d)
    {
        Int128 length = (Int128)a * b * c * d;
        if (length > int.MaxValue)
        {
            throw new ArgumentOutOfRangeException(
                nameof(a), length, $"The tensor [{a}, {b}, {c}, {d}] has more than 2^31 - 1 elements.");
        }
    }
}
