using Broker.Gateway.Auth;

namespace Broker.Gateway.Tests.Auth;

public sealed class UsersFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_password_survives_its_text_form()
    {
        var hash = PasswordHash.Parse(PasswordHash.Create("secret"u8, 1000).ToString())!;

        Assert.True(hash.Verify("secret"u8));
        Assert.False(hash.Verify("Secret"u8));
        Assert.False(hash.Verify(""u8));
    }

    [Fact]
    public void A_hash_made_by_another_program_is_understood()
    {
        // PBKDF2-HMAC-SHA256, password "password", salt "saltsaltsalt", 1000 rounds, computed with Python's hashlib.
        var hash = PasswordHash.Parse("$pbkdf2-sha256$i=1000$c2FsdHNhbHRzYWx0$sYIePhT5IXESDKvnouJXtE5pTJ6Znbmef4vViYmc9Uc")!;

        Assert.True(hash.Verify("password"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("$pbkdf2-md5$i=1000$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0")]
    [InlineData("$pbkdf2-sha256$i=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0")]
    [InlineData("$pbkdf2-sha256$i=999999999$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0")]
    [InlineData("$pbkdf2-sha256$i=1000$!$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0")]
    [InlineData("$pbkdf2-sha256$i=1000$c2FsdHNhbHRzYWx0$c2Fs")]
    public void What_is_not_a_hash_is_refused(string text) => Assert.Null(PasswordHash.Parse(text));

    [Fact]
    public void Edits_keep_comments_and_other_users()
    {
        var path = _folder.File("users");
        File.WriteAllText(path, $"# ours\nann:{PasswordHash.Create("a"u8, 1000)}\n\n");
        var file = UsersFile.Load(path);
        file.Set("bob", PasswordHash.Create("b"u8, 1000));
        file.Set("bob", PasswordHash.Create("c"u8, 1000));
        file.Save(path);

        var again = UsersFile.Load(path);

        Assert.StartsWith("# ours\n", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.Equal(["ann", "bob"], again.Users.Keys.Order(StringComparer.Ordinal));
        Assert.True(again.Users["bob"].Hash.Verify("c"u8));
        Assert.True(again.Remove("ann"));
        Assert.False(again.Remove("ann"));
    }

    [Fact]
    public void The_file_is_readable_by_its_owner_only()
    {
        var path = _folder.File("users");
        UsersFile.Load(path).Save(path);

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public void A_file_that_does_not_exist_has_no_users()
    {
        Assert.Empty(UsersFile.Load(_folder.File("users")).Users);
        Assert.Empty(UsersFile.Load(_folder.File("none/users")).Users);
    }

    [Fact]
    public void A_folder_in_its_place_is_named()
    {
        var path = Directory.CreateDirectory(_folder.File("users")).FullName;

        var failure = Assert.Throws<UnauthorizedAccessException>(() => UsersFile.Load(path));

        Assert.StartsWith($"{path}: it is a folder", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_comes_twice_is_named()
    {
        var path = _folder.File("users");
        var line = $"ann:{PasswordHash.Create("a"u8, 1000)}";
        File.WriteAllLines(path, [line, line]);

        Assert.Contains(
            "line 2 names 'ann' again; remove one", Assert.Throws<FormatException>(() => UsersFile.Load(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ann")]
    [InlineData("ann:secret")]
    [InlineData(":x")]
    public void A_wrong_line_is_named(string line)
    {
        var path = _folder.File("users");
        File.WriteAllText(path, "#\n" + line + "\n");

        var failure = Assert.Throws<FormatException>(() => UsersFile.Load(path));

        Assert.Contains("line 2", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }
}
