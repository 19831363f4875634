namespace Broker.Gateway.Tests.Hosting;

/// <summary>Tests that change what the whole process shares, such as its environment, and so must not run beside others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ChangesProcess
{
    public const string Name = "changes process";
}
