namespace Broker.Gateway.Tests.Embedding;

/// <summary>Grains of the application, in the silo of the broker (docs/embedding.md).</summary>
public sealed class ApplicationGrainTests
{
    [Fact]
    public async Task State_of_a_grain_outlives_the_broker_on_the_embedded_store()
    {
        await using var application = await Application.StartAsync();
        await application.Broker.Grains.GetGrain<ITally>("t").Add(1);

        await application.RestartAsync();

        Assert.Equal([1, 2], await application.Broker.Grains.GetGrain<ITally>("t").Add(2));
    }

    public interface ITally : IGrainWithStringKey
    {
        Task<List<int>> Add(int number);
    }

    internal sealed class Tally([PersistentState("numbers")] IPersistentState<List<int>> numbers) : Grain, ITally
    {
        public async Task<List<int>> Add(int number)
        {
            numbers.State.Add(number);
            await numbers.WriteStateAsync();
            return numbers.State;
        }
    }
}
