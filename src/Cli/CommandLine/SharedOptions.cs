using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Optc.Backends.TfLite;
using Optc.Ops.Kernels;

namespace Optc.Cli.CommandLine;

/// <summary>Declarations of what several verbs take, so that it has one name and one description everywhere.</summary>
internal static class SharedOptions
{
    private const int MaximumThreads = 1024;

    public static Argument<string> Model(string name = "model", string description = "Model to read: a .tflite file.")
    {
        Argument<string> argument = new(name) { HelpName = name.ToUpperInvariant(), Description = description };
        UsageErrors.RefuseOptions(argument);
        return argument;
    }

    public static Option<string> Output(string description) =>
        new("--output", "-o") { HelpName = "FILE", Description = $"{description} Never replaced unless --force is given.", Required = true };

    public static Option<string?> Names() => new Option<string?>("--names")
    {
        HelpName = "interface|all",
        Description = "Names of tensors to keep: those of inputs, outputs and signatures, or all. Default: all for float models, whose layers further steps address by name, else interface.",
    }.OneOf("interface", "all");

    /// <summary>How a model is to be written.</summary>
    public static TfLiteWriteOptions WritingOf(this ParseResult arguments, Option<string?> names) => new(arguments.GetValue(names) switch
    {
        "interface" => TfLiteNames.Interface,
        "all" => TfLiteNames.All,
        _ => TfLiteNames.Automatic,
    });

    public static Option<bool> Force() => new("--force") { Description = "Replace the output if it exists." };

    public static Option<int> Threads()
    {
        Option<int> option = new("--threads")
        {
            HelpName = "N",
            Description = $"Threads to use, 1 to {MaximumThreads}; results do not depend on it. Default: the number of processors.",
        };
        option.Validators.Add(result => RequireRange(result, option, 1, MaximumThreads));
        return option;
    }

    public static Option<string?> X() => new("--x")
    {
        HelpName = "NAME",
        Description = "Array of the .npz that holds the inputs, 'x' if there is one.",
    };

    public static Option<string?> Y() => new("--y")
    {
        HelpName = "NAME",
        Description = "Array of the .npz, or file, that holds the labels; 'y' if there is one.",
    };

    public static Option<int?> Samples(string description)
    {
        Option<int?> option = new("--samples") { HelpName = "N", Description = description };
        option.Validators.Add(result => RequireRange(result, option, 1, int.MaxValue));
        return option;
    }

    public static Option<string> Rounding(string name = "--rounding", string subject = "Whose integer rounding is reproduced:") => new Option<string>(name)
    {
        HelpName = "tflm|xnnpack",
        Description = $"{subject} TFLite Micro's reference kernels, or XNNPACK, LiteRT's default.",
        DefaultValueFactory = _ => "tflm",
    }.OneOf("tflm", "xnnpack");

    public static Option<ulong?> Seed() => new("--seed")
    {
        HelpName = "N",
        Description = "Draw the N of --samples at random instead, the same ones for the same seed: for data that are sorted.",
    };

    /// <summary>The samples that <c>--samples</c> and <c>--seed</c> ask for.</summary>
    public static Dataset Chosen(this ParseResult arguments, Dataset data, Option<int?> samples, Option<ulong?> seed) =>
        (arguments.GetValue(samples), arguments.GetValue(seed)) switch
        {
            (null, _) => data,
            ({ } count, null) => data.Take(count),
            ({ } count, { } key) => data.Sample(count, key),
        };

    /// <summary>Makes <c>--seed</c> an error without <c>--samples</c>, where it would mean nothing.</summary>
    public static void RequireSamplesForSeed(this Command command, Option<int?> samples, Option<ulong?> seed) => command.Validators.Add(result =>
    {
        if (result.GetResult(seed) is { Implicit: false } && result.GetResult(samples) is null or { Implicit: true })
        {
            result.AddError("--seed draws samples, so it needs --samples N");
        }
    });

    /// <summary>Refuses other values than these.</summary>
    public static Option<T> OneOf<T>(this Option<T> option, params string[] values)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !values.Contains(text))
            {
                result.AddError($"{option.Name} is '{text}', but has to be {string.Join(", ", values[..^1])} or {values[^1]}");
            }
        });
        option.CompletionSources.Add(values);
        return option;
    }

    public static RoundingProfile RoundingOf(string name) => name == "xnnpack" ? RoundingProfile.Xnnpack : RoundingProfile.Tflm;

    public static Option<bool> Sequence() => new("--sequence")
    {
        Description = "The first axis of the data is time: one invocation for each slice, from a fresh state.",
    };

    /// <summary>A number in the form of programs, with a point; another culture's comma would be taken for a thousand.</summary>
    public static double ParseNumber(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double number)
            && double.IsFinite(number))
        {
            return number;
        }

        result.AddError($"{(result.Parent as OptionResult)?.Option.Name} is '{text}', but has to be a number such as 0.1");
        return 0;
    }

    /// <inheritdoc cref="ParseNumber"/>
    public static double? ParseOptionalNumber(ArgumentResult result) => ParseNumber(result);

    /// <summary>The threads that were asked for, else as many as there are processors.</summary>
    public static int ThreadsOf(this ParseResult arguments, Option<int> option) =>
        arguments.GetValue(option) is > 0 and var given ? given : Math.Clamp(Environment.ProcessorCount, 1, MaximumThreads);

    public static void RequireRange<T>(OptionResult result, Option<T> option, int low, int high)
    {
        if (result.Tokens is not [{ Value: var text }])
        {
            return;
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value < low || value > high)
        {
            result.AddError(string.Create(
                CultureInfo.InvariantCulture,
                $"{option.Name} is '{text}', but has to be a whole number from {low} {(high == int.MaxValue ? "on" : $"to {high}")}"));
        }
    }
}
