using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;

namespace Optc.Training.Augmentations;

/// <summary>The list of augmentations with their text forms.</summary>
internal static class AugmentationSet
{
    public static ImmutableArray<AugmentationEntry> Entries { get; } =
    [
        new("flip", "flip[:P]", 0.5, 0, 1, false, "mirrors a picture left to right with probability P, 0.5 unless given", p => new Flip(p)),
        new("shift", "shift:N", null, 1, 4096, true, "moves a picture by up to N pixels each way; the border is repeated", n => new Shift((int)n)),
        new("crop", "crop:N", null, 1, 4096, true, "pads a picture by N pixels of its mirror image and cuts a window of its size at random", n => new Crop((int)n)),
        new("brightness", "brightness:B", null, 0, 1, false, "multiplies by 1 - B to 1 + B", b => new Brightness(b)),
        new("cutout", "cutout:N", null, 1, 4096, true, "fills a square of N pixels with the mean of the picture", n => new Cutout((int)n)),
        new("mixup", "mixup:A", null, 0.1, 2, false, "blends two samples and their labels with a weight from Beta(A, A)", a => new Mixup(a)),
        new("noise", "noise:S", null, 0, 10, false, "adds white noise of up to S times the sample's standard deviation", s => new Noise(s)),
        new("silence", "silence:P", null, 0, 1, false, "silences a stretch of up to the part P of the time", p => new Silence(p)),
        new("time-shift", "time-shift:N", null, 1, 1 << 24, true, "moves by up to N steps of time, the first axis", n => new TimeShift((int)n)),
        new("mix", "mix:W", null, 0, 0.5, false, "lays another clip over, with a weight of up to W; the label stays", w => new Mix(w)),
    ];

    public static Augmentation Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string name = colon < 0 ? text : text[..colon];
        if (Entries.FirstOrDefault(e => e.Name == name) is not { } entry)
        {
            throw Problem("there is no such augmentation", $"'{text}'", string.Join(", ", Entries.Select(e => e.Syntax)));
        }

        double number;
        if (colon < 0)
        {
            number = entry.Default ?? throw Problem($"the augmentation '{name}' needs a number", $"'{text}'", entry.Syntax);
        }
        else if (!double.TryParse(text[(colon + 1)..], NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out number)
            || !(number >= entry.Low && number <= entry.High) || (entry.IsWhole && number != Math.Truncate(number)))
        {
            throw Problem(
                $"the augmentation '{name}' does not take this number",
                $"'{text}'",
                string.Create(CultureInfo.InvariantCulture, $"{entry.Syntax} with {(entry.IsWhole ? "a whole number" : "a number")} from {entry.Low} to {entry.High}"));
        }

        return entry.Make(number);
    }

    private static DiagnosticException Problem(string message, string found, string expected) =>
        new(new Diagnostic(DiagnosticId.InvalidOption, message) { Found = found, Expected = expected });
}

/// <param name="Default">The number when none is given, if one may be left out.</param>
/// <param name="Low">Least number that is allowed.</param>
/// <param name="High">Greatest number that is allowed.</param>
internal sealed record AugmentationEntry(
    string Name, string Syntax, double? Default, double Low, double High, bool IsWhole, string Summary, Func<double, Augmentation> Make);
