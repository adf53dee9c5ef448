using System.Globalization;
using Optc.Ir;

namespace Optc.Cli.CommandLine;

/// <summary>A shape as a word of the command line: <c>49x10x1</c>.</summary>
internal static class ShapeText
{
    /// <exception cref="DiagnosticException">The text is no such word.</exception>
    public static Shape Parse(string option, string text)
    {
        string[] words = text.Split('x');
        int[] dims = new int[words.Length];
        for (int i = 0; i < dims.Length; i++)
        {
            if (!int.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out dims[i]) || dims[i] < 1)
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, $"{option} is no shape")
                {
                    Found = $"'{text}'",
                    Expected = "sizes of 1 or more with 'x' between, such as 49x10x1 (height, width, channels)",
                });
            }
        }

        return Shape.Create(dims);
    }

    public static string Show(Shape shape) => string.Join('x', shape.Dims.Select(d => d.ToString(CultureInfo.InvariantCulture)));
}
