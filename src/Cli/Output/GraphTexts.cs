using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Optc.Files;
using Optc.Ir;
using Optc.Ir.Text;

namespace Optc.Cli.Output;

/// <summary>The graph as text at several stages: <c>00-input.optir</c>, <c>01-fold.optir</c>, ...</summary>
internal sealed class GraphTexts(string folder, bool force)
{
    private readonly List<(string Path, Action<Stream> Content)> _files = [];

    public ImmutableArray<string> Paths => [.. _files.Select(f => f.Path)];

    /// <param name="stage">Name of the stage; part of the file name.</param>
    public void Add(string stage, Module module)
    {
        byte[] text = Encoding.UTF8.GetBytes(GraphPrinter.Print(module));
        string name = string.Create(CultureInfo.InvariantCulture, $"{_files.Count:00}-{stage}.optir");
        _files.Add((Path.Combine(folder, name), stream => stream.Write(text)));
    }

    /// <summary>Writes all of them; makes the folder if it is missing.</summary>
    /// <exception cref="DiagnosticException">A file exists and may not be replaced, or the disk refuses it.</exception>
    public void Write()
    {
        OutputFolder.Create(folder);
        OutputFiles.Write([.. _files], force);
    }
}
