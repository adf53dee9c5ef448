namespace Optc.Ir.Text;

/// <summary>How much of the constants the text form shows.</summary>
public sealed record PrintOptions
{
    /// <summary>Everything: a parser gets the same module back, but for what only the source format knows.</summary>
    public static PrintOptions Complete { get; } = new();

    /// <summary>For people: large constants are left out, and the parser refuses the text if there are any.</summary>
    public static PrintOptions Readable { get; } = new() { ElidesLargeConstants = true };

    /// <summary>Constants of at most so many elements are shown as a list of numbers.</summary>
    public int ListedElements { get; init; } = 32;

    /// <summary>Shows <c>...</c> for the content of larger constants instead of base64.</summary>
    public bool ElidesLargeConstants { get; init; }
}
