namespace Broker.Micro;

/// <summary>A measurement that can be started by name; `Program` finds all of them by itself.</summary>
public interface IBench
{
    /// <summary>Name on the command line.</summary>
    string Name { get; }

    /// <summary>One line: what it measures and what its gates are.</summary>
    string Description { get; }

    /// <summary>Runs it and prints the figures.</summary>
    /// <returns>0 when every gate is met.</returns>
    int Run(string[] args);
}
