using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using Optc.Passes.Quantize;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Optc.Cli.CommandLine;

/// <summary>Per-layer rules from a YAML file: a list, each entry a map with <c>layer</c> (the pattern) and settings.</summary>
/// <example><code>
/// - layer: ^conv1
///   keep-float: true
///   because: the sensor saturates it
/// - layer: dense
///   estimator: percentile:99.9
/// </code></example>
internal static class LayerRuleFile
{
    private const string Pattern = "layer";

    /// <exception cref="DiagnosticException">The file cannot be read, is no YAML, or holds something else than rules.</exception>
    public static ImmutableArray<LayerRule> Read(string path)
    {
        try
        {
            using StreamReader text = new(path);
            YamlStream yaml = [];
            yaml.Load(text);
            return yaml.Documents is [{ RootNode: YamlSequenceNode list }] ? [.. list.Select(entry => Rule(path, entry))] : throw NotRules(path, null);
        }
        catch (YamlException problem)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.MalformedFile, "the file is no YAML")
            {
                At = [path, Line(problem.Start)],
                Found = problem.Message,
            });
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.FileNotReadable, "the file cannot be read")
            {
                At = [path],
                Found = problem is FileNotFoundException or DirectoryNotFoundException ? "no such file" : problem.Message,
            });
        }
    }

    private static LayerRule Rule(string path, YamlNode entry)
    {
        if (entry is not YamlMappingNode map || map.Any(s => s.Key is not YamlScalarNode || s.Value is not YamlScalarNode))
        {
            throw NotRules(path, entry);
        }

        ImmutableArray<(string Key, string Value)> settings = [.. map.Select(s => (((YamlScalarNode)s.Key).Value!, ((YamlScalarNode)s.Value).Value ?? ""))];
        if (settings.FirstOrDefault(s => s.Key == Pattern).Value is not { Length: > 0 } pattern)
        {
            throw NotRules(path, entry);
        }

        return settings.Where(s => s.Key != Pattern)
            .Aggregate(new LayerRule(pattern), (rule, s) => LayerRuleText.With(rule, s.Key, s.Value, [path, Line(entry.Start)]));
    }

    private static string Line(Mark mark) => string.Create(CultureInfo.InvariantCulture, $"line {mark.Line}");

    private static DiagnosticException NotRules(string path, YamlNode? entry) => new(new Diagnostic(DiagnosticId.InvalidOption, "the file holds no per-layer rules")
    {
        At = entry is null ? [path] : [path, Line(entry.Start)],
        Expected = $"a list of maps, each with '{Pattern}: REGEX' and settings such as 'keep-float: true' or 'estimator: mse'",
    });
}
