using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Optc.Backends.CArray;
using Optc.Backends.EthosU;
using Optc.Cli.CommandLine;
using Optc.Formats.EthosU;
using Optc.Ir;

namespace Optc.Cli.Output;

/// <summary>The options and files of packed Ethos-U weights.</summary>
internal sealed class EthosUFiles
{
    public const string FormatName = "ethos-u";

    private const string Automatic = "auto";
    private const string Smallest = "smallest";

    private readonly Option<string?> _blockDepth = new("--block-depth")
    {
        HelpName = "N|auto",
        Description = "With ethos-u, output channels of a block, a multiple of 16 or the whole depth; auto, the default, takes for each layer what makes it smallest.",
    };

    private readonly Option<int?> _sliceDepth = new("--slice-depth")
    {
        HelpName = "N",
        Description = "With ethos-u, output channels of a slice, a multiple of 16, for weights that are copied into fast memory piece by piece. Default: all.",
    };

    private readonly Option<string?> _codec = new Option<string?>("--codec")
    {
        HelpName = "compatible|smallest",
        Description = "With ethos-u, the bytes of Arm's encoder, the default, or the shortest streams that are found, never longer.",
    }.OneOf("compatible", Smallest);

    public EthosUFiles()
    {
        string[] names = [.. Formats.EthosU.Accelerator.All.Select(a => a.Name)];
        Accelerator = new Option<string?>("--accelerator") { HelpName = "NAME", Description = $"With ethos-u, the processor: {string.Join(", ", names)}." }.OneOf(names);
        Options = [Accelerator, _blockDepth, _sliceDepth, _codec];
        _blockDepth.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not Automatic and var text }] && !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int _))
            {
                result.AddError($"{_blockDepth.Name} is '{text}', but has to be {Automatic} or a whole number of channels such as 16");
            }
        });
        _sliceDepth.Validators.Add(result => SharedOptions.RequireRange(result, _sliceDepth, Formats.EthosU.Accelerator.DepthUnit, int.MaxValue));
    }

    public Option<string?> Accelerator { get; }

    public ImmutableArray<Option> Options { get; }

    /// <summary>The name of all files, without extension, and the C identifier.</summary>
    /// <exception cref="DiagnosticException">What was given is no identifier.</exception>
    public static string SymbolOf(string model, string? given)
    {
        string symbol = given ?? CIdentifier.Suggest(Path.GetFileNameWithoutExtension(model));
        return CArrayBackend.Check(new(symbol)) is { IsEmpty: false } problems ? throw new DiagnosticException(problems) : symbol;
    }

    /// <summary>In the order of <see cref="EthosUPackage.ToFiles"/>.</summary>
    public static ImmutableArray<string> NamesOf(string symbol) => [$"{symbol}.bin", $"{symbol}.h", $"{symbol}.json"];

    public EthosUOptions Read(ParseResult arguments) => new(Formats.EthosU.Accelerator.Find(arguments.GetValue(Accelerator)!)!)
    {
        BlockDepth = arguments.GetValue(_blockDepth) is null or Automatic ? null : int.Parse(arguments.GetValue(_blockDepth)!, CultureInfo.InvariantCulture),
        SliceDepth = arguments.GetValue(_sliceDepth),
        Codec = arguments.GetValue(_codec) == Smallest ? WeightCodecMode.Smallest : WeightCodecMode.Compatible,
    };
}
