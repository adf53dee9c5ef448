using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Passes.Cluster;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>Takes a run from phase to phase: masks, then codebooks, then what is frozen.</summary>
internal sealed class StructureKeeper
{
    private const int PriceInterval = 10;
    private const double PriceMemory = 0.5;
    private const double UnseenCount = 0.3;
    private const double FirstPrice = 0.15;
    private const double PriceRamp = 0.25;

    private readonly FitOptions _options;
    private readonly TrainingOptions _step;
    private readonly StructurePlan _plan;
    private readonly Graph _graph;
    private readonly long _steps;
    private readonly Func<IReadOnlyDictionary<string, float[]>> _gradients;
    private Trainer _trainer = null!;
    private MaskKeeper? _masks;
    private StructurePhase _phase;

    public StructureKeeper(
        FitOptions options, TrainingOptions step, StructurePlan plan, Graph graph, long steps, Func<IReadOnlyDictionary<string, float[]>> gradients)
    {
        (_options, _step, _plan, _graph, _steps, _gradients) = (options, step, plan, graph, steps, gradients);
        _phase = PhaseAt(0);
    }

    /// <summary>Options with which a run begins.</summary>
    public TrainingOptions First => _plan.For(_step, _phase);

    /// <summary>Takes charge of a trainer that was made with <see cref="First"/>.</summary>
    public void Take(Trainer trainer)
    {
        _trainer = trainer;
        _masks = _options.Pruning is null ? null : new(_options.Pruning, trainer, _graph, _steps, _gradients);
        foreach (TrainedVariable variable in trainer.Variables)
        {
            if (variable.Source.Constant?.Structure?.Mask is { } mask && variable.Rate != 0)
            {
                trainer.SetMask(variable, mask.Kept.AsSpan());
            }
        }

        _plan.Explain(trainer.Variables);
        Fill();
    }

    /// <summary>Brings the trainer to the phase of a step whose state is to be loaded.</summary>
    public void Resume(long step)
    {
        if (PhaseAt(step) is var phase && phase != _phase)
        {
            _phase = phase;
            _trainer.Change(_plan.For(_step, phase));
        }
    }

    /// <summary>Does what is due before a step, and after the last one.</summary>
    public void Before(long step)
    {
        _masks?.Before(step);
        StructurePhase phase = step < _steps ? PhaseAt(step) : _phase;
        if (phase != _phase)
        {
            bool starts = phase.Codebooks && !_phase.Codebooks;
            _phase = phase;
            _trainer.Change(_plan.For(_step, phase));
            if (starts)
            {
                Fill();
                _trainer.ResetOptimizer();
            }
        }

        if (_options.Clustering is { BitPrice: > 0 } clustering && _phase is { Codebooks: true, FrozenCodes: false } && step % PriceInterval == 0)
        {
            SetPrices(clustering, step);
        }
    }

    /// <summary>True once the weights have the structure that they are going to have.</summary>
    public bool IsFinal(long step) => _masks?.IsFinal(step) != false && PhaseAt(Math.Min(step, _steps - 1)) == PhaseAt(_steps - 1);

    private StructurePhase PhaseAt(long step)
    {
        double part = _steps == 0 ? 1 : (double)step / _steps;
        return new(
            _options.Clustering is not { } clustering || part >= clustering.Begin,
            _options.Clustering is { } freezing && part >= freezing.Freeze,
            _options.Quantization is { } aware && part >= aware.FreezeStatistics);
    }

    /// <summary>Gives every weight that has just got a codebook its entries.</summary>
    private void Fill()
    {
        foreach (FormedWeight formed in _trainer.Forms.Where(f => f.Form is CodebookForm))
        {
            TrainedVariable latent = formed.Latent;
            CodebookPlan plan = _plan.CodebookOf(latent)!;
            bool[] kept = _plan.IsMasked(latent) ? [.. _trainer.MaskOf(latent).ToArray().Select(m => m != 0)] : [];
            CodebookStart start = _options.Clustering is null
                ? CodebookStart.OfStructure(latent.Source.Constant!, plan)
                : CodebookStart.Of(TensorData.FromFloats(latent.Shape, _trainer.Content(latent)), plan, kept);
            _trainer.Set(latent.Name, start.Latent);
            _trainer.Set(formed.Codebook!.Name, start.Values);
            _trainer.Set(formed.LogScale!.Name, start.LogScale);
            _trainer.Set($"{latent.Name}/steps", start.Steps);
            _trainer.Set($"{latent.Name}/index", start.Index);
            if (!start.Zeros.IsEmpty && formed.Codebook.Rate != 0)
            {
                bool[] trained = new bool[start.Values.Length];
                Array.Fill(trained, true);
                for (int g = 0; g < start.Zeros.Length; g++)
                {
                    trained[(g * plan.Codes) + start.Zeros[g]] = false;
                }

                if (_plan.IsMasked(formed.Codebook))
                {
                    _trainer.SetMask(formed.Codebook, trained);
                }
            }
        }
    }

    /// <summary>Prices of the entries of a weight from what its codes, as the file will have them, cost in a coder.</summary>
    private float[] Priced(IWeightCoder coder, FormedWeight formed, CodebookForm form, double price)
    {
        ReadOnlySpan<float> values = _trainer.Get(formed.Codebook!.Name);
        ReadOnlySpan<float> steps = _trainer.Get($"{formed.Latent.Name}/steps");
        ReadOnlySpan<float> indices = _trainer.Get($"{formed.Latent.Name}/index");
        ReadOnlySpan<float> before = _trainer.Get($"{formed.Latent.Name}/prices");
        short[] entries = EntropyClusters.CodesOf(values, steps, form.Codes, form.Bits == 0 ? 0 : (1 << (form.Bits - 1)) - 1);
        ChannelMap map = new(formed.Latent.Shape, form.Axis);
        short[] codes = new short[indices.Length];
        for (int i = 0; i < codes.Length; i++)
        {
            int group = form.Groups == 1 ? 0 : map.ChannelOf(i) / (map.Channels / form.Groups);
            codes[i] = entries[(group * form.Codes) + (int)indices[i]];
        }

        CodeLengths lengths = coder.EstimateLengths(codes);
        float[] prices = new float[entries.Length];
        for (int j = 0; j < prices.Length; j++)
        {
            double now = price * lengths[entries[j]];
            prices[j] = (float)(before[j] == 0 ? now : (PriceMemory * before[j]) + ((1 - PriceMemory) * now));
        }

        return prices;
    }

    /// <summary>Prices of the codes from how often they are used: what entropy coding would pay, rising to its full height.</summary>
    private void SetPrices(Clustering clustering, long step)
    {
        double since = (((double)step / _steps) - clustering.Begin) / PriceRamp;
        double price = clustering.BitPrice * Math.Clamp(FirstPrice + ((1 - FirstPrice) * since), FirstPrice, 1);
        foreach (FormedWeight formed in _trainer.Forms)
        {
            if (formed.Form is not CodebookForm form)
            {
                continue;
            }

            string name = $"{formed.Latent.Name}/prices";
            ChannelMap map = new(formed.Latent.Shape, form.Axis);
            if (clustering.Coder is not OrderZeroCoder)
            {
                _trainer.Set(name, Priced(clustering.Coder, formed, form, price));
                continue;
            }

            double[] counts = new double[form.Groups * form.Codes];
            ReadOnlySpan<float> indices = _trainer.Get($"{formed.Latent.Name}/index");
            for (int i = 0; i < indices.Length; i++)
            {
                int group = form.Groups == 1 ? 0 : map.ChannelOf(i) / (map.Channels / form.Groups);
                counts[(group * form.Codes) + (int)indices[i]]++;
            }

            float[] prices = _trainer.Get(name).ToArray();
            for (int j = 0; j < prices.Length; j++)
            {
                double total = counts.Skip(j / form.Codes * form.Codes).Take(form.Codes).Sum(c => c + UnseenCount);
                double now = price * -Math.Log2((counts[j] + UnseenCount) / total);
                prices[j] = (float)(prices[j] == 0 ? now : (PriceMemory * prices[j]) + ((1 - PriceMemory) * now));
            }

            _trainer.Set(name, prices);
        }
    }
}
