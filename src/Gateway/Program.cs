using Broker.Gateway.Configuration;
using Broker.Gateway.Hosting;

RuntimeTuning.Apply();
try
{
    var configuration = BrokerConfiguration.Load(args);
    return await BrokerHost.RunAsync(configuration.Options);
}
catch (StartupException refusal)
{
    Console.Error.WriteLine($"broker: {refusal.Message}");
    return 1;
}
