using System.Numerics;

namespace Optc.Ops.Kernels;

/// <summary>
/// The input positions <c>First, First + Step, ..</c> of a window along one axis, seen from behind: their gradients are a
/// window of stride 1 over the gradient of the output.
/// </summary>
/// <param name="Window">From output gradients to these positions; its kernel is 0 when no tap ever reads them.</param>
/// <param name="First">First position.</param>
/// <param name="Step">Distance of positions: the stride of the forward window.</param>
/// <param name="FirstTap">Smallest forward tap that reads these positions.</param>
/// <param name="TapStep">Distance of such taps.</param>
/// <remarks>
/// Position i takes part in output o by tap t where <c>i + Before = o * Stride + t * Dilation</c>. For the positions of one
/// residue modulo the stride these taps are every <c>Stride / gcd</c>-th one, and each next tap reads an output that lies
/// <c>Dilation / gcd</c> before (gcd of both). This is the sub-pixel form of a transposed convolution: Shi et al., Is the
/// deconvolution layer the same as a convolutional layer?, 2016.
/// </remarks>
internal readonly record struct GradientPhase(Window Window, int First, int Step, int FirstTap, int TapStep)
{
    /// <summary>All phases of a window; every input position is in exactly one.</summary>
    public static GradientPhase[] Of(Window forward)
    {
        int divisor = (int)BigInteger.GreatestCommonDivisor(forward.Stride, forward.Dilation);
        int tapStep = forward.Stride / divisor;
        int dilation = forward.Dilation / divisor;
        GradientPhase[] phases = new GradientPhase[Math.Min(forward.Stride, forward.Input)];
        for (int first = 0; first < phases.Length; first++)
        {
            int positions = ((forward.Input - first - 1) / forward.Stride) + 1;
            int offset = first + forward.Before;
            int tap = 0;
            while (tap < forward.Kernel && (offset - ((long)tap * forward.Dilation)) % forward.Stride != 0)
            {
                tap++;
            }

            int taps = tap == forward.Kernel ? 0 : ((forward.Kernel - tap - 1) / tapStep) + 1;
            int firstOutput = (int)((offset - ((long)tap * forward.Dilation)) / forward.Stride);
            int before = taps == 0 ? 0 : ((taps - 1) * dilation) - firstOutput;
            Window window = new(forward.Output, taps, Stride: 1, dilation, before, After: 0, positions);
            int missing = taps == 0 ? 0 : window.Start(positions - 1) + window.Extent - forward.Output;
            phases[first] = new(window with { After = Math.Max(0, missing) }, first, forward.Stride, tap, tapStep);
        }

        return phases;
    }

    /// <summary>Forward tap that a tap of <see cref="Window"/> stands for: they run in opposite directions.</summary>
    public int ForwardTap(int tap) => FirstTap + ((Window.Kernel - 1 - tap) * TapStep);
}
