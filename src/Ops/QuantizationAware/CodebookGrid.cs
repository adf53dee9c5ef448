using Optc.Ir;

namespace Optc.Ops;

/// <summary>Shapes of a weight whose values come from codebooks, and its codes on the grid.</summary>
/// <param name="Groups">Codebooks: 1, or one for so many output channels each.</param>
/// <param name="Codes">Entries of a codebook.</param>
/// <param name="Channels">Output channels.</param>
/// <param name="Inner">Elements behind one index of the axis of channels.</param>
/// <param name="Largest">Largest code on the integer grid; 0 leaves the entries real.</param>
internal readonly record struct CodebookGrid(int Groups, int Codes, int Channels, int Inner, int Largest)
{
    /// <summary>Checks <c>latent [any], values [G, n], steps [G]</c>.</summary>
    /// <exception cref="OpRuleException">They do not fit.</exception>
    public static CodebookGrid Of(Shape latent, Shape values, Shape steps, int axis, int largest)
    {
        if (values.Rank != 2 || values.ElementCount == 0 || axis < 0 || axis >= latent.Rank || largest is < 0 or > 127
            || latent[axis] % values[0] != 0 || steps.ElementCount != values[0])
        {
            throw new OpRuleException("the codebooks do not fit the weight")
            {
                Found = $"{values} and {steps} for {latent} along axis {axis}",
                Expected = "[groups, codes] and [groups], groups that divide the channels",
            };
        }

        int inner = 1;
        for (int i = axis + 1; i < latent.Rank; i++)
        {
            inner *= latent[i];
        }

        return new(values[0], values[1], latent[axis], Math.Max(1, inner), largest);
    }

    public int ChannelOf(int element) => element / Inner % Channels;

    public int GroupOf(int channel) => Groups == 1 ? 0 : channel / (Channels / Groups);

    /// <summary>The value that an entry stands for: rounded to a whole number of steps where there is a grid.</summary>
    public float Snap(float value, float step) => Largest == 0 || !(step > 0)
        ? value
        : step * Math.Clamp(MathF.Round(value / step), -Largest, Largest);
}
