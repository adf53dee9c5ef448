using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Data;
using Optc.Formats.EthosU;
using Optc.Ir;

namespace Optc.Cli;

internal sealed class CodecCommand : Verb
{
    private const string Encode = "encode";
    private const string Smallest = "smallest";
    private const string Wide = "int16";

    private readonly Argument<string> _codec = Word("codec", "Coder: ethos-u, the weight stream of Arm's Ethos-U55 and Ethos-U65.", "ethos-u");
    private readonly Argument<string> _direction = Word("direction", "encode: weights to a stream. decode: a stream to int16 weights.", Encode, "decode");
    private readonly Argument<string> _file = SharedOptions.Model("file", "To encode: weights as .npy (int8 or int16), or bare little-endian elements. To decode: a stream.");

    private readonly Option<string> _mode = new Option<string>("--mode")
    {
        HelpName = "compatible|smallest",
        Description = "To encode: the bytes of Arm's encoder, or the shortest stream that is found, never longer.",
        DefaultValueFactory = _ => "compatible",
    }.OneOf("compatible", Smallest);

    private readonly Option<string> _type = new Option<string>("--type")
    {
        HelpName = "int8|int16",
        Description = "To encode: elements of a file that is no .npy.",
        DefaultValueFactory = _ => "int8",
    }.OneOf("int8", Wide);

    private readonly Option<string> _output = SharedOptions.Output("File to write. Decoded weights: .npy, or bare little-endian int16.");
    private readonly Option<bool> _force = SharedOptions.Force();

    public CodecCommand(Terminal terminal)
        : base("codec", "Encode weights for a target, or decode them: the raw coder, for scripts. Weights are in stream order, without zero point.", terminal)
    {
        foreach (Argument argument in (ReadOnlySpan<Argument>)[_codec, _direction, _file])
        {
            Arguments.Add(argument);
        }

        foreach (Option option in (ReadOnlySpan<Option>)[_output, _mode, _type, _force])
        {
            Options.Add(option);
        }

        Validators.Add(result =>
        {
            foreach (Option option in (ReadOnlySpan<Option>)[_mode, _type])
            {
                if (result.GetResult(option) is { Implicit: false } && result.GetResult(_direction)?.Tokens is [{ Value: "decode" }])
                {
                    result.AddError($"{option.Name} is for encode; a stream says itself how it is made");
                }
            }
        });
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("the bytes that Arm's encoder makes", "optc codec ethos-u encode weights.npy -o weights.mlw"),
        new("a shorter stream of 16-bit elements", "optc codec ethos-u encode weights.bin --type int16 -o weights.mlw --mode smallest"),
        new("back to weights", "optc codec ethos-u decode weights.mlw -o weights.npy"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_file);
        string output = arguments.GetRequiredValue(_output);
        bool isEncoding = arguments.GetRequiredValue(_direction) == Encode;
        PlannedFiles files = new([output], arguments.GetValue(_force), path);

        string? mode = isEncoding ? arguments.GetRequiredValue(_mode) : null;
        short[] weights = isEncoding
            ? WeightFile.Read(path, arguments.GetRequiredValue(_type) == Wide ? DType.I16 : DType.I8)
            : WeightFile.ReadStream(path);
        byte[] content = isEncoding
            ? WeightCodec.Encode(weights, mode == Smallest ? WeightCodecMode.Smallest : WeightCodecMode.Compatible)
            : WeightFile.ToBytes(output, weights);
        files.Write(stream => stream.Write(content));

        long streamBytes = isEncoding ? content.Length : new FileInfo(path).Length;
        double bitsPerWeight = weights.Length == 0 ? 0 : 8.0 * streamBytes / weights.Length;
        Terminal.WriteJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("codec", arguments.GetRequiredValue(_codec));
            writer.WriteString("direction", arguments.GetRequiredValue(_direction));
            writer.WriteString("mode", mode);
            writer.WriteString("input", path);
            writer.WriteString("output", output);
            writer.WriteNumber("weights", weights.Length);
            writer.WriteNumber("streamBytes", streamBytes);
            writer.WriteNumber("bitsPerWeight", Math.Round(bitsPerWeight, 3));
            writer.WriteEndObject();
        });
        Terminal.WriteText($"wrote      {output}\n");
        Terminal.WriteText(string.Create(CultureInfo.InvariantCulture, $"weights    {weights.Length}\n"));
        Terminal.WriteText(string.Create(
            CultureInfo.InvariantCulture, $"stream     {ByteSize.Show(streamBytes)}, {bitsPerWeight:0.000} bits per weight{(mode is null ? "" : ", " + mode)}\n"));
        return ExitCode.Success;
    }

    private static Argument<string> Word(string name, string description, params string[] words)
    {
        Argument<string> argument = new(name) { HelpName = string.Join('|', words), Description = description };
        UsageErrors.RefuseOptions(argument);
        argument.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !words.Contains(text) && !text.StartsWith('-'))
            {
                result.AddError($"{name} is '{text}', but has to be {string.Join(" or ", words)}");
            }
        });
        argument.CompletionSources.Add(words);
        return argument;
    }
}
