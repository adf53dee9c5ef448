namespace Optc.Ir;

/// <summary>A limit to the number of different codes.</summary>
/// <param name="Codes">Codes of a group, the zero included.</param>
/// <param name="Groups">1 for the whole tensor, the number of output channels, or one that divides it.</param>
/// <param name="Axis">The dimension that runs over output channels.</param>
/// <param name="PinsZero">Zero is one of the codes, whether it is used or not.</param>
public sealed record Codebook(int Codes, int Groups = 1, int Axis = 0, bool PinsZero = true)
{
    /// <summary>Notes why this cannot belong to a weight of a shape.</summary>
    internal void CheckFit(Shape shape, List<StructureBreach> breaches)
    {
        if (Codes < 1)
        {
            breaches.Add(new("size of a codebook", "at least 1", $"{Codes}"));
        }

        if (WeightGrid.ChannelsOf(shape, Axis) is not { } channels)
        {
            breaches.Add(new("axis of the codebooks", $"one of {shape}", $"{Axis}"));
        }
        else if (Groups < 1 || channels % Groups != 0)
        {
            breaches.Add(new("codebooks for as many channels each", $"a number that divides {channels}", $"{Groups}"));
        }
    }
}
